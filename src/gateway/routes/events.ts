import { PassThrough } from 'node:stream';
import { z } from 'zod';
import type { RunProgress } from '../../producer/runs/runProgress.ts';
import type { GatewayApp, GatewayOptions } from '../http/gatewayApp.ts';
import { asRequestError } from '../http/problem.ts';
import type { ProgressFeed } from '../http/progressFeed.ts';
import { problems } from '../schemas/rowAnswer.ts';
import { runParams } from '../schemas/runBody.ts';

/** Proxies close connections that are silent for half a minute or more. */
const HEARTBEAT_MS = 15_000;

/** How long a client should wait before it connects anew. */
const RETRY_MS = 2_000;

/** The progress of a run as server-sent events (WHATWG HTML, section 9.2). */
export function eventRoutes(app: GatewayApp, { producer }: GatewayOptions, feed: ProgressFeed): void {
  app.get(
    '/v1/runs/:run/events',
    {
      config: { scope: 'read' },
      schema: {
        summary: 'Follow a run: server-sent events named progress, then one named end.',
        params: runParams,
        headers: z.looseObject({ 'last-event-id': z.string().max(200).optional() }),
        response: { 200: { content: { 'text/event-stream': { schema: z.string() } } }, ...problems(404) },
      },
    },
    async (request, reply) => {
      const { run } = request.params;
      await producer.describe(run);
      const stream = new PassThrough();
      const seen = request.headers['last-event-id'];
      stream.write(`retry: ${RETRY_MS}\n\n`);
      const stop = feed.listen(run, {
        onProgress(progress) {
          // A client that connects anew and has seen this state already waits for the next one.
          if (idOf(progress) !== seen || progress.ended) stream.write(eventOf('progress', progress));
          if (progress.ended) stream.end(eventOf('end', progress));
        },
        onError: (error) =>
          stream.end(`event: error\ndata: ${JSON.stringify(asRequestError(error).code)}\n\n`),
      });
      const heartbeat = setInterval(() => stream.write(': still here\n\n'), HEARTBEAT_MS);
      stream.on('close', () => {
        clearInterval(heartbeat);
        stop();
      });
      return reply
        .type('text/event-stream')
        .header('cache-control', 'no-store')
        .send(stream as never);
    },
  );
}

function eventOf(name: string, progress: RunProgress): string {
  return `id: ${idOf(progress)}\nevent: ${name}\ndata: ${JSON.stringify(progress)}\n\n`;
}

/** Two equal ids are the same state of the run. */
function idOf({ state, expected, active, classified, failed, paused }: RunProgress): string {
  return [state, expected, active, classified, failed, paused ? 'paused' : ''].join('.');
}
