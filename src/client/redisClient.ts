import type { Redis } from 'ioredis';
import { createProducer } from '../producer/producer.ts';
import { ClipfleetError } from '../shared/errors.ts';
import { chooseModel } from '../shared/fleet/chooseModel.ts';
import { defineLabelSet } from '../shared/labels/labelSet.ts';
import { defaultOf } from '../shared/options/config.ts';
import { keysUnder } from '../shared/redis/keys.ts';
import type { ResultsStore } from '../shared/rows/resultsStore.ts';
import type { ClassifyCallOptions, Client } from './client.ts';
import { dataUrlOf, labelSetOf } from './inputs.ts';
import { createReachable } from './reachable.ts';
import { type Calls, createRedisRun } from './redisRun.ts';

export interface RedisClientOptions {
  /** First part of every key; the workers' `--prefix`. */
  prefix?: string;
  /** Where the workers keep rows; Redis when absent. */
  store?: ResultsStore;
  /** How long Redis may be away before calls reject with REDIS_UNAVAILABLE, in milliseconds; 1,000 when absent. */
  patienceMs?: number;
  /** How long Redis keeps what `classify` asked for, in milliseconds; an hour when absent. */
  answerKeptMs?: number;
}

const PATIENCE_MS = 1_000;

/** How long a model that was found is taken for the one that is served. */
const MODEL_KEPT_MS = 2_000;

/** @param end what ends the connection where it is the client's own */
export function createRedisClient(redis: Redis, options: RedisClientOptions, end = () => {}): Client {
  const { prefix = defaultOf('prefix'), store, patienceMs = PATIENCE_MS, answerKeptMs } = options;
  // Each call says that Redis is away.
  const onError = () => {};
  const producer = createProducer({ redis, prefix, onError, ...(store && { store }) });
  const reachable = createReachable(redis, patienceMs);

  const calls: Calls = {
    producer,
    ask: reachable.whileReachable,
    items,
  };

  async function* items<T>(signal: AbortSignal | undefined, items: AsyncGenerator<T>) {
    try {
      for (;;) {
        const { done, value } = await reachable.whileReachable(signal, () => items.next());
        if (done) return;
        yield value;
      }
    } finally {
      // Not awaited: it would wait for an item that is under way.
      void items.return(undefined).catch(() => {});
    }
  }

  const found = new Map<string | undefined, { model: Promise<string>; at: number }>();

  function modelOf(name: string | undefined): Promise<string> {
    const now = performance.now();
    const known = found.get(name);
    if (known && now - known.at < MODEL_KEPT_MS) return known.model;
    const model = chooseModel(redis, keysUnder(prefix), name);
    found.set(name, { model, at: now });
    model.catch(() => found.delete(name));
    return model;
  }

  async function classify(
    uri: string,
    labels: readonly string[],
    how: ClassifyCallOptions,
    signal: AbortSignal,
  ) {
    const { template, timeoutMs } = how;
    const labelSet = defineLabelSet({ labels, ...(template !== undefined && { template }) });
    const model = await modelOf(how.model);
    const row = await producer.labelOne(uri, {
      ...{ model, labelSet, signal },
      ...(timeoutMs !== undefined && { timeoutMs }),
      ...(answerKeptMs !== undefined && { keptMs: answerKeptMs }),
    });
    if (row.status === 'classified') return row.predictions;
    throw new ClipfleetError(row.error.code, row.error.message);
  }

  async function close(): Promise<void> {
    reachable.close();
    await producer.close();
    end();
  }

  return {
    classify: (image, labels, how = {}) =>
      calls.ask(how.signal, async (signal) => classify(await dataUrlOf(image), labels, how, signal)),
    openRun: ({ labels, model, signal, ...others }) =>
      calls.ask(signal, async () => {
        const given = labelSetOf(labels);
        const open = await producer.openRun({ ...others, ...given, model: await modelOf(model) });
        await open.close();
        return createRedisRun(calls, open.run);
      }),
    run: (id) => createRedisRun(calls, id),
    close,
    [Symbol.asyncDispose]: close,
  };
}
