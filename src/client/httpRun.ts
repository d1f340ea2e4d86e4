import { setTimeout as delay } from 'node:timers/promises';
import type { RunProgress } from '../producer/runs/runProgress.ts';
import { ClipfleetError } from '../shared/errors.ts';
import type { PublicRow } from '../shared/rows/row.ts';
import { itemsUntilAborted } from '../shared/untilAborted.ts';
import type { CallOptions, ClientRun } from './client.ts';
import type { Gateway } from './httpRequest.ts';
import { eventsOf, linesOf, progressOf } from './httpStream.ts';
import { refsOf } from './inputs.ts';

/** Before a stream of events that broke off is asked for anew. */
const RETRY_MS = 2_000;

/** A run behind a gateway. */
export function createHttpRun({ ask }: Gateway, id: string): ClientRun {
  const path = `/v1/runs/${encodeURIComponent(id)}`;

  async function* rows(follow: boolean, signal?: AbortSignal): AsyncGenerator<PublicRow> {
    const answer = await ask('GET', `${path}/rows${follow ? '?follow=true' : ''}`, { signal });
    for await (const line of linesOf(answer)) yield JSON.parse(line) as PublicRow;
  }

  async function* events(signal?: AbortSignal): AsyncGenerator<RunProgress> {
    let last = '';
    for (;;) {
      try {
        for await (const { name, data } of eventsOf(await ask('GET', `${path}/events`, { signal }))) {
          const text = JSON.stringify(data);
          if (name === 'progress' && text !== last) yield progressOf(data);
          if (name === 'end') return;
          // The run is there no more: asking anew says so.
          if (name === 'error') break;
          last = text;
        }
      } catch (error) {
        if (!isBrokenOff(error) || last === '') throw error;
      }
      await delay(RETRY_MS, undefined, { ...(signal && { signal }) });
    }
  }

  async function add(images: Parameters<ClientRun['add']>[0], seal: boolean, signal?: AbortSignal) {
    let failure: { error: unknown } | undefined;
    let isAnswered = false;
    async function* lines(): AsyncGenerator<string> {
      try {
        for await (const { id, uri } of refsOf(images)) {
          // fetch goes on reading a body that nobody takes any more.
          if (isAnswered || signal?.aborted) return;
          yield `${JSON.stringify({ id, uri })}\n`;
        }
      } catch (error) {
        // What the images themselves throw is the caller's own error, and not the connection's.
        failure = { error };
        throw error;
      }
    }
    try {
      const answer = await ask('POST', `${path}/images?seal=${seal}`, { lines: lines(), signal });
      return ((await answer.json()) as { added: number }).added;
    } catch (error) {
      throw failure ? failure.error : error;
    } finally {
      isAnswered = true;
    }
  }

  const act =
    (action: string) =>
    async (how: CallOptions = {}) => {
      await ask('POST', `${path}/${action}`, how);
    };

  return {
    id,
    add: (images, { signal, seal = false } = {}) => add(images, seal, signal),
    progress: async (how = {}) => progressOf((await (await ask('GET', path, how)).json()) as RunProgress),
    events: ({ signal } = {}) => itemsUntilAborted(signal, events(signal)),
    async ended({ signal, onProgress } = {}) {
      let last: RunProgress | undefined;
      for await (const progress of itemsUntilAborted(signal, events(signal))) {
        onProgress?.(progress);
        last = progress;
      }
      return last!;
    },
    results: ({ follow = false, signal } = {}) => itemsUntilAborted(signal, rows(follow, signal)),
    row: (image, how = {}) =>
      ask('GET', `${path}/row?id=${encodeURIComponent(image)}`, how).then(
        async (answer) => (await answer.json()) as PublicRow,
        unlessNoRow,
      ),
    seal: act('seal'),
    pause: act('pause'),
    resume: act('resume'),
    retry: act('retry'),
    cancel: act('cancel'),
    async remove(how = {}) {
      await ask('DELETE', path, how);
    },
  };
}

function isBrokenOff(error: unknown): boolean {
  return error instanceof ClipfleetError && error.code === 'GATEWAY_UNAVAILABLE';
}

function unlessNoRow(error: unknown): undefined {
  if (error instanceof ClipfleetError && error.code === 'ROW_UNKNOWN') return undefined;
  throw error;
}
