import type { Redis } from 'ioredis';
import type { Thresholds } from '../labels/thresholds.ts';
import type { Keys } from '../redis/keys.ts';
import { nodesOf } from '../redis/redisClients.ts';
import { pipelineOn } from '../redis/redisPipeline.ts';
import { isWrongType } from '../redis/wrongType.ts';
import { withoutSecrets } from '../withoutSecrets.ts';
import type { VectorSource } from './run.ts';
import { cancelledRun, unknownRun } from './runErrors.ts';
import { defineRunScripts } from './runScripts.ts';

/** What stands against working on a run. */
export type Hold = 'paused' | 'cancelled';

/** What people do with runs, beside adding to them. */
export interface RunControl {
  /** The ids of all runs, in no order. */
  list(): AsyncGenerator<string>;
  /** Workers leave the run alone until it is resumed. @throws RUN_UNKNOWN, RUN_CANCELLED */
  pause(run: string, why: string): Promise<void>;
  /** @throws RUN_UNKNOWN */
  resume(run: string): Promise<void>;
  /** The run ends here. @throws RUN_UNKNOWN */
  cancel(run: string): Promise<void>;
  /** Of which of the runs workers should keep off. */
  holds(runs: readonly string[]): Promise<Map<string, Hold>>;
  /** Above this share of failed images the run is paused. @throws RUN_UNKNOWN */
  setMaxFailureRate(run: string, rate: number): Promise<void>;
  /** Notes what the run's images come from, in a few words for people. @throws RUN_UNKNOWN */
  setSource(run: string, source: string): Promise<void>;
  /** Before its first image: from then on a row is stored only after its vector is on disk there. @throws RUN_UNKNOWN */
  setEmbeddings(run: string, uri: string): Promise<void>;
  /** Before its first image: its images are labeled from vectors of another run. @throws RUN_UNKNOWN */
  setRelabels(run: string, source: VectorSource): Promise<void>;
  /** What decides about its answers from now on. @throws RUN_UNKNOWN */
  setThresholds(run: string, thresholds: Thresholds): Promise<void>;
  /** Forgets the run, but for its rows. */
  remove(run: string): Promise<void>;
}

const SCAN_COUNT = 1_000;
const SOURCE_CHARS_MAX = 200;

export function createRunControl(redis: Redis, keys: Keys): RunControl {
  defineRunScripts(redis);

  async function mark(run: string, field: string, value: string, ...without: string[]): Promise<void> {
    const marked = await redis.clipfleetMark(keys.run(run), field, value, '', ...without);
    if (marked === 0) throw unknownRun(run);
    if (marked < 0) throw cancelledRun(run);
  }

  return {
    async *list() {
      // Found by their keys: an index would be one more thing that every producer must keep.
      const [before, after] = keys.run('*').split('*') as [string, string];
      const seen = new Set<string>();
      for (const node of nodesOf(redis)) {
        let cursor = '0';
        do {
          const [next, found] = await node.scan(cursor, 'MATCH', keys.run('*'), 'COUNT', SCAN_COUNT);
          for (const key of found) seen.add(key.slice(before.length, key.length - after.length));
          cursor = next;
        } while (cursor !== '0');
      }
      yield* seen;
    },

    pause: (run, why) => mark(run, 'paused', why, 'cancelledAt'),

    async resume(run) {
      if ((await redis.hexists(keys.run(run), 'model')) === 0) throw unknownRun(run);
      await redis.hdel(keys.run(run), 'paused');
    },

    cancel: (run) => mark(run, 'cancelledAt', new Date().toISOString()),

    async holds(runs) {
      const pipeline = pipelineOn(redis);
      for (const run of runs) pipeline.hmget(keys.run(run), 'cancelledAt', 'paused');
      const replies = (await pipeline.exec()) ?? [];
      const holds = new Map<string, Hold>();
      replies.forEach(([error, reply], i) => {
        // What cannot be read holds up no other run.
        if (isWrongType(error)) return;
        if (error) throw error;
        const [cancelled, paused] = reply as [string | null, string | null];
        if (cancelled !== null) holds.set(runs[i]!, 'cancelled');
        else if (paused !== null) holds.set(runs[i]!, 'paused');
      });
      return holds;
    },

    setMaxFailureRate: (run, rate) => mark(run, 'maxFailureRate', String(rate)),

    setSource: (run, source) => mark(run, 'source', withoutSecrets(source).slice(0, SOURCE_CHARS_MAX)),

    setEmbeddings: (run, uri) => mark(run, 'embeddings', uri),

    setRelabels: (run, source) => mark(run, 'relabels', JSON.stringify(source)),

    setThresholds: (run, thresholds) => mark(run, 'thresholds', JSON.stringify(thresholds)),

    async remove(run) {
      const { chunks, active, parts, suspects, announced, warnings, vectors, webhook } = keys;
      const of = [chunks, active, parts, suspects, announced, warnings, vectors, webhook, keys.run];
      await redis.unlink(...of.map((key) => key(run)));
    },
  };
}
