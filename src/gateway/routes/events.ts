import { PassThrough } from 'node:stream';
import type { FastifyReply } from 'fastify';
import { z } from 'zod';
import type { RunProgress } from '../../producer/runs/runProgress.ts';
import type { GatewayApp, GatewayOptions } from '../http/gatewayApp.ts';
import { asRequestError } from '../http/problem.ts';
import type { ProgressFeed } from '../http/progressFeed.ts';
import { problems } from '../schemas/rowAnswer.ts';
import { runIdSchema, runParams } from '../schemas/runBody.ts';

/** Proxies close connections that are silent for half a minute or more. */
const HEARTBEAT_MS = 15_000;

/** How long a client should wait before it connects anew. */
const RETRY_MS = 2_000;

/** Runs that one stream follows. */
const FOLLOWED_MAX = 50;

const answer = { 200: { content: { 'text/event-stream': { schema: z.string() } } }, ...problems(404) };

/** The progress of runs as server-sent events (WHATWG HTML, section 9.2). */
export function eventRoutes(app: GatewayApp, { producer }: GatewayOptions, feed: ProgressFeed): void {
  app.get(
    '/v1/runs/:run/events',
    {
      config: { scope: 'read' },
      schema: {
        summary: 'Follow a run: server-sent events named progress, then one named end.',
        params: runParams,
        headers: z.looseObject({ 'last-event-id': z.string().max(200).optional() }),
        response: answer,
      },
    },
    async (request, reply) => {
      const { run } = request.params;
      await producer.describe(run);
      return sendEvents(reply, follow(feed, [run], request.headers['last-event-id']));
    },
  );

  app.get(
    '/v1/events',
    {
      config: { scope: 'read' },
      schema: {
        summary: `Follow up to ${FOLLOWED_MAX} runs over one connection: the events of each, with its id as run.`,
        description: 'A run that cannot be followed gets one event named error, and the others go on.',
        querystring: z.strictObject({
          runs: z
            .string()
            .regex(/^[A-Za-z0-9_-]{1,64}(,[A-Za-z0-9_-]{1,64})*$/)
            .transform((text) => [...new Set(text.split(','))])
            .pipe(z.array(runIdSchema).max(FOLLOWED_MAX))
            .describe('Their ids, with commas between them.'),
        }),
        response: answer,
      },
    },
    async ({ query: { runs } }, reply) => sendEvents(reply, follow(feed, runs)),
  );
}

/** @param seen the id of the event that a client had last, when it connects anew */
function follow(feed: ProgressFeed, runs: readonly string[], seen?: string): PassThrough {
  const stream = new PassThrough();
  stream.write(`retry: ${RETRY_MS}\n\n`);
  const left = new Set(runs);
  // What came at the same time as a run's last event is late.
  const write = (run: string, event: string) => left.has(run) && stream.write(event);
  const end = (run: string, event: string) => {
    write(run, event);
    if (left.delete(run) && left.size === 0) stream.end();
  };
  const stops = runs.map((run) =>
    feed.listen(run, {
      onProgress(progress) {
        // A client that connects anew and has seen this state already waits for the next one.
        if (idOf(progress) !== seen || progress.ended) write(run, eventOf('progress', run, progress));
        if (progress.ended) end(run, eventOf('end', run, progress));
      },
      onError(error) {
        const { code } = asRequestError(error);
        end(run, `event: error\ndata: ${JSON.stringify({ run, code })}\n\n`);
      },
    }),
  );
  const heartbeat = setInterval(() => stream.write(': still here\n\n'), HEARTBEAT_MS);
  stream.on('close', () => {
    clearInterval(heartbeat);
    for (const stop of stops) stop();
  });
  return stream;
}

function sendEvents(reply: FastifyReply, stream: PassThrough): never {
  return reply
    .type('text/event-stream')
    .header('cache-control', 'no-store')
    .send(stream as never) as never;
}

function eventOf(name: string, run: string, progress: RunProgress): string {
  const data = JSON.stringify({ run, ...progress });
  return `id: ${idOf(progress)}\nevent: ${name}\ndata: ${data}\n\n`;
}

/** Two equal ids are the same state of the run. */
function idOf({ state, expected, active, classified, failed, paused }: RunProgress): string {
  return [state, expected, active, classified, failed, paused ? 'paused' : ''].join('.');
}
