import { setTimeout as delay } from 'node:timers/promises';
import type { Producer } from '../producer/producer.ts';
import type { RunProgress } from '../producer/runs/runProgress.ts';
import type { PublicRow } from '../shared/rows/row.ts';
import type { ClientRun } from './client.ts';
import { refsOf } from './inputs.ts';

/** A producer, and how it is asked: until a signal aborts, and while Redis can be reached. */
export interface Calls {
  producer: Producer;
  ask<T>(signal: AbortSignal | undefined, work: (signal: AbortSignal) => Promise<T>): Promise<T>;
  items<T>(signal: AbortSignal | undefined, items: AsyncGenerator<T>): AsyncGenerator<T, void, void>;
}

const LOOK_MS = 500;

/** A run on the Redis of a producer. */
export function createRedisRun({ producer, ask, items }: Calls, id: string): ClientRun {
  async function add(images: Parameters<ClientRun['add']>[0], seal: boolean, signal: AbortSignal) {
    const open = await producer.continueRun(id);
    try {
      const added = await open.add(refsOf(images), { signal });
      if (seal) await open.seal();
      return added;
    } finally {
      await open.close();
    }
  }

  async function seal(): Promise<void> {
    await producer.describe(id);
    await producer.runs.seal(id);
  }

  async function* events(): AsyncGenerator<RunProgress> {
    let last = '';
    for (;;) {
      const now = await producer.progress(id);
      const text = JSON.stringify(now);
      if (text !== last) yield now;
      if (now.ended) return;
      last = text;
      await delay(LOOK_MS);
    }
  }

  async function* newRows(signal?: AbortSignal): AsyncGenerator<PublicRow> {
    for await (const rows of producer.newRows(id, { ...(signal && { signal }) })) yield* rows;
  }

  return {
    id,
    add: (images, { signal, seal = false } = {}) => ask(signal, (until) => add(images, seal, until)),
    seal: ({ signal } = {}) => ask(signal, seal),
    progress: ({ signal } = {}) => ask(signal, () => producer.progress(id)),
    events: ({ signal } = {}) => items(signal, events()),
    ended: ({ signal, onProgress } = {}) =>
      ask(signal, (until) => producer.waitFor(id, { signal: until, ...(onProgress && { onProgress }) })),
    results: ({ follow, signal } = {}) => items(signal, follow ? newRows(signal) : producer.rows(id)),
    row: (image, { signal } = {}) => ask(signal, () => producer.row(id, image)),
    pause: ({ signal } = {}) => ask(signal, () => producer.control.pause(id, 'by request')),
    resume: ({ signal } = {}) => ask(signal, () => producer.resume(id)),
    retry: ({ signal } = {}) =>
      ask(signal, async (until) => void (await producer.retry(id, { signal: until }))),
    cancel: ({ signal } = {}) => ask(signal, async () => void (await producer.cancel(id))),
    remove: ({ signal } = {}) => ask(signal, async () => void (await producer.remove(id))),
  };
}
