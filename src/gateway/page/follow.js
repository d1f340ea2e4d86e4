import { request } from './api.js';
import { pause, seen } from './repeat.js';

const RETRY_MS = 2_000;

/**
 * Follows runs by server-sent events, over one connection for all, because browsers have few for a host. `EventSource` cannot send a key, so the
 * stream is read with fetch. While the page is hidden there is no connection. Ends when the signal aborts or all runs have ended; a connection that broke is made anew.
 */
export async function follow(runs, signal, onProgress) {
  const left = new Set(runs);
  while (left.size > 0 && !signal.aborted) {
    await seen(signal);
    const connection = untilHidden(signal);
    try {
      const answer = await request(`/v1/events?runs=${[...left].join(',')}`, { signal: connection });
      for await (const { name, data } of eventsOf(answer.body)) {
        if (name === 'progress') onProgress(data);
        else if (name === 'end' || name === 'error') left.delete(data.run);
      }
    } catch (error) {
      // What stands against it is said by the polls, which go on.
      if (signal.aborted || error.status < 500) return;
      if (connection.aborted) continue;
    }
    if (left.size > 0) await pause(RETRY_MS, signal);
  }
}

/** A signal that aborts with another, or when nobody sees the page any more. */
function untilHidden(signal) {
  const hidden = new AbortController();
  const look = () => document.hidden && hidden.abort();
  document.addEventListener('visibilitychange', look, { signal: AbortSignal.any([signal, hidden.signal]) });
  return AbortSignal.any([signal, hidden.signal]);
}

async function* eventsOf(body) {
  let text = '';
  for await (const piece of chunksOf(body.pipeThrough(new TextDecoderStream()))) {
    const events = (text + piece).split('\n\n');
    text = events.pop();
    for (const event of events) {
      const [name, data] = ['event', 'data'].map((of) => new RegExp(`^${of}: (.*)$`, 'm').exec(event)?.[1]);
      if (name && data) yield { name, data: JSON.parse(data) };
    }
  }
}

/** Streams are no async iterables in every browser. */
async function* chunksOf(stream) {
  const reader = stream.getReader();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    yield value;
  }
}
