// A gateway of the test's own, in a process of its own, with what asks it.
import assert from 'node:assert/strict';
import type { Fleet, Running } from './fleet.ts';
import { until } from './support.ts';

export interface Gateway {
  url: string;
  running: Running;
  /** Asks a route, with a JSON body where one is given. */
  ask(method: string, path: string, body?: unknown, headers?: Record<string, string>): Promise<Asked>;
}

export interface Asked {
  status: number;
  headers: Headers;
  text: string;
  // biome-ignore lint/suspicious/noExplicitAny: a test reads of it what the route documents
  json: any;
}

/** Starts `clipfleet serve` on a free port, and resolves when it listens. */
export async function startGateway(fleet: Fleet, ...flags: string[]): Promise<Gateway> {
  const running = fleet.start('serve', '--port', '0', ...flags);
  const url = await until(() => {
    assert.equal(running.child.exitCode, null, running.text().stderr);
    const line = running
      .text()
      .stderr.split('\n')
      .find((text) => text.includes('"gateway ready"'));
    return line === undefined ? '' : (JSON.parse(line) as { url: string }).url;
  }, 'the gateway listens');
  return {
    url,
    running,
    async ask(method, path, body, headers = {}) {
      const isText = typeof body === 'string';
      const type = isText ? 'application/x-ndjson' : 'application/json';
      const answer = await fetch(`${url}${path}`, {
        method,
        headers: { ...(body !== undefined && { 'content-type': type }), ...headers },
        ...(body !== undefined && { body: isText ? body : JSON.stringify(body) }),
      });
      const text = await answer.text();
      const isJson = /json/.test(answer.headers.get('content-type') ?? '') && !text.includes('\n');
      return {
        status: answer.status,
        headers: answer.headers,
        text,
        json: isJson && text !== '' ? JSON.parse(text) : undefined,
      };
    },
  };
}
