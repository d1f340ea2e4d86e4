import { namedRun, type RunName } from '../../src/shared/birth.ts';
import { addChunkJobs, type JobTaker } from '../../src/shared/fleet/chunkJobs.ts';
import { createLog } from '../../src/shared/log/log.ts';
import type { ImageRef } from '../../src/shared/refs/imageRef.ts';
import type { FoundRow } from '../../src/shared/rows/resultsStore.ts';
import type { Row } from '../../src/shared/rows/row.ts';
import { encodeChunkJob } from '../../src/shared/runs/chunkJob.ts';
import type { Losses } from '../../src/shared/runs/losses.ts';
import type { Begun } from '../../src/shared/runs/run.ts';
import type { Delivery } from '../../src/worker/jobs/delivery.ts';
import { createSolitude } from '../../src/worker/losses/solitude.ts';

/** What the heart of a worker is handed, for tests that need no process and no Redis. */

export const silent = createLog('silent');

export const model = 'm@1:fp32';

export function refs(...ids: string[]): ImageRef[] {
  return ids.map((id) => ({ id, uri: `pictures/${id}.jpg` }));
}

/** A first delivery of chunk 0 of run r, and the jobs that were added to its lane. */
export function deliver(ids: readonly string[], about: Partial<Delivery> = {}) {
  const added: { id: string; data: unknown; attempts: number }[] = [];
  const lane: JobTaker = {
    async addBulk(jobs) {
      for (const { data, opts } of jobs) added.push({ id: opts!.jobId!, data, attempts: opts!.attempts! });
      return [];
    },
  };
  const delivery: Delivery = {
    id: 'r.0.0',
    data: encodeChunkJob(refs(...ids)),
    lane: '{bulk}',
    urgent: false,
    addedAt: Date.now(),
    attempts: 3,
    isFirst: true,
    isLastAttempt: false,
    refusedSince: 0,
    addJobs: (...chunk) => addChunkJobs(lane, ...chunk),
    ...about,
  };
  return { delivery, added };
}

/** Rows kept in a map, for what asks a store no more than this. */
export function keepRows() {
  const rows = new Map<string, Row>();
  return {
    name: 'redis',
    rows,
    async putRows(_run: RunName, all: readonly Row[]) {
      for (const row of all) rows.set(row.id, row);
    },
    async find(_run: string, ids: readonly string[]): Promise<Map<string, FoundRow>> {
      return new Map(ids.flatMap((id) => (rows.has(id) ? [[id, rows.get(id)!] as const] : [])));
    },
  };
}

/** What a worker is handed of losses where there are none. */
export function withoutLosses() {
  const losses: Losses = {
    charge: async () => {},
    suspects: async () => new Map(),
    acquit: async () => {},
    spare: async () => {},
    reset: async () => {},
  };
  const heartbeats = { fateOf: async () => ({ kind: 'left' }) as const };
  return { losses, heartbeats, worker: 'w', solitude: createSolitude(), log: silent };
}

/** The ledger's functions, which write down what they were told; each answers as given. */
export function tellLedger(answers: { begin?: Begun['kind']; split?: number } = {}) {
  const told: string[] = [];
  const idOf = (run: RunName) => namedRun(run).run;
  return {
    told,
    async begin(run: RunName, piece: string, images: number) {
      told.push(`begin ${idOf(run)} ${piece} ${images}`);
      return { kind: answers.begin ?? 'work', hasSuspects: false } as Begun;
    },
    async release(run: RunName, piece: string) {
      told.push(`release ${idOf(run)} ${piece}`);
    },
    async finish(run: RunName, piece: string, whole = false) {
      told.push(`finish ${idOf(run)} ${piece}${whole ? ' whole' : ''}`);
    },
    async withdraw(run: RunName, piece: string, kept: number) {
      told.push(`withdraw ${idOf(run)} ${piece} ${kept}`);
      return 0;
    },
    async warn(run: string, warning: string) {
      told.push(`warn ${run} ${warning}`);
    },
    async split(run: RunName, chunk: number, images: readonly number[]) {
      told.push(`split ${idOf(run)} ${chunk} ${images}`);
      return answers.split ?? 1;
    },
    async divide(run: RunName, piece: string, images: readonly number[]) {
      told.push(`divide ${idOf(run)} ${piece} ${images}`);
      return answers.split ?? 1;
    },
  };
}
