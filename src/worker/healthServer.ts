import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { ClipfleetError } from '../shared/errors.ts';

/** What is answered at a path. */
export interface HttpAnswer {
  status: number;
  type: string;
  body: string;
}
export type HealthAnswer = () => HttpAnswer | Promise<HttpAnswer>;

/** For one request to come whole. */
const REQUEST_MS = 5_000;

/**
 * Answers GET and HEAD of the paths that it is given, for probes and scrapers. It reads no bodies and trusts nobody with more than reading.
 *
 * @throws PORT_UNAVAILABLE
 */
export async function serveHealth(
  paths: Readonly<Record<string, HealthAnswer>>,
  { host, port }: { host: string; port: number },
): Promise<{ port: number; close(): void }> {
  const server = createServer(
    { requestTimeout: REQUEST_MS, headersTimeout: REQUEST_MS },
    (request, response) => void answer(paths, request, response),
  );
  try {
    server.listen(port, host);
    await once(server, 'listening');
  } catch (error) {
    const message = `Expected to listen on ${host}, port ${port} (--health-port), got: ${(error as Error).message}. Give another port.`;
    throw new ClipfleetError('PORT_UNAVAILABLE', message, { cause: error });
  }
  // A request must not keep a process that has finished.
  server.unref();
  return {
    port: (server.address() as AddressInfo).port,
    close() {
      server.close();
      server.closeAllConnections();
    },
  };
}

async function answer(
  paths: Readonly<Record<string, HealthAnswer>>,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const path = (request.url ?? '').split('?')[0]!;
  const isRead = request.method === 'GET' || request.method === 'HEAD';
  const found = Object.hasOwn(paths, path) ? paths[path] : undefined;
  const { status, type, body } = !isRead
    ? plain(405, 'Expected GET.')
    : ((await found?.()) ?? plain(404, `Expected one of ${Object.keys(paths).join(', ')}.`));
  response.writeHead(status, { 'content-type': type, 'cache-control': 'no-store' });
  response.end(request.method === 'HEAD' ? undefined : body);
}

function plain(status: number, text: string): HttpAnswer {
  return { status, type: 'text/plain; charset=utf-8', body: `${text}\n` };
}

/** A value as JSON: 200 where it is well, 503 where not. */
export function jsonAnswer(isWell: boolean, value: unknown): HttpAnswer {
  return { status: isWell ? 200 : 503, type: 'application/json', body: `${JSON.stringify(value)}\n` };
}
