import type { Redis } from 'ioredis';
import type { Keys } from '../../shared/redis/keys.ts';
import { pipelineOn } from '../../shared/redis/redisPipeline.ts';
import { ROW_BUCKETS } from '../../shared/rows/rowBucket.ts';
import { jobId } from '../../shared/runs/chunkJob.ts';
import type { Run } from '../../shared/runs/run.ts';

/** Jobs that are measured to know what all jobs of a run take. */
const JOBS_MEASURED = 5;

/** Per key, so many of its entries are measured by Redis, which takes the others to be like them. */
const SAMPLES = 20;

/**
 * About how many bytes of Redis the run takes: its ledger, its rows where they are there, and the jobs that wait. An estimate, made from samples
 * of entries and jobs, so that a run of millions costs as much to ask for as a small one: two round trips, about thirty commands.
 *
 * Label sets are left out, because runs share them. Undefined where this user of Redis may not ask.
 */
export async function heldBytes(
  { redis, keys, prefix }: { redis: Redis; keys: Keys; prefix: string },
  { run, birth, lane }: Pick<Run, 'run' | 'birth' | 'lane'>,
): Promise<number | undefined> {
  const { chunks, active, parts, suspects, announced, warnings } = keys;
  const ledger = [keys.run, chunks, active, parts, suspects, announced, warnings].map((key) => key(run));
  const buckets = Array.from({ length: ROW_BUCKETS }, (_, bucket) => bucket);
  const rows = buckets.flatMap((bucket) =>
    [keys.rows, keys.counts, keys.fingerprints].map((key) => key(run, bucket)),
  );
  const own = pipelineOn(redis);
  own.hlen(chunks(run)).hscan(chunks(run), '0', 'COUNT', JOBS_MEASURED);
  for (const key of [...ledger, ...rows]) own.call('MEMORY', 'USAGE', key, 'SAMPLES', SAMPLES);
  const [[, pending], [, found], ...sizes] = (await own.exec()) as [
    [unknown, number | undefined],
    [unknown, [string, string[]] | undefined],
    ...[Error | null, number | null][],
  ];
  if (sizes.every(([error]) => error)) return undefined;
  const jobs = pipelineOn(redis);
  const measured = (found?.[1] ?? []).slice(0, 2 * JOBS_MEASURED);
  for (let i = 0; i < measured.length; i += 2) {
    const generation = Number(measured[i + 1]!.split(' ')[1] ?? 0);
    const key = `${prefix}:${lane}:${jobId({ run, birth }, measured[i]!, generation)}`;
    // All its fields: a job has few, and its images are in one of them.
    jobs.call('MEMORY', 'USAGE', key, 'SAMPLES', 0);
  }
  const jobSizes = ((await jobs.exec()) ?? []) as [Error | null, number | null][];
  const perJob = jobSizes.length === 0 ? 0 : sumOf(jobSizes) / jobSizes.length;
  return sumOf(sizes) + Math.round(perJob * (pending ?? 0));
}

/** What is not there takes nothing. */
function sumOf(sizes: readonly [Error | null, number | null][]): number {
  return sizes.reduce((sum, [error, bytes]) => sum + (error ? 0 : (bytes ?? 0)), 0);
}
