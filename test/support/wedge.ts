// Loaded before a worker by `--import`: BullMQ's own worker stands still after a few jobs, with all its connections well. Where WEDGED says `each`,
// those that are opened later take no job at all; where it says `first`, they are well.
import { Worker } from 'bullmq';

type Wedged = Omit<Worker, 'moveToActive'> & { moveToActive(...args: unknown[]): Promise<unknown> };

const JOBS = 3;
const bornAt = new WeakMap<object, number>();
const taken = new WeakMap<object, number>();
const { prototype } = Worker as unknown as { prototype: Wedged };
const moveToActive = prototype.moveToActive;
let workers = 0;

prototype.moveToActive = async function (...args) {
  if (!bornAt.has(this)) bornAt.set(this, workers++);
  const count = taken.get(this) ?? 0;
  // The two lanes of the start; later ones were opened anew.
  const limit = bornAt.get(this)! < 2 ? JOBS : process.env.WEDGED === 'each' ? 0 : Number.POSITIVE_INFINITY;
  if (count >= limit) return new Promise(() => {});
  const job = await moveToActive.apply(this, args);
  if (job) taken.set(this, count + 1);
  return job;
};
