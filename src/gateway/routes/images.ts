import type { Readable } from 'node:stream';
import { z } from 'zod';
import { linesOf } from '../../producer/bytes/lines.ts';
import { ClipfleetError } from '../../shared/errors.ts';
import type { ImageRef } from '../../shared/refs/imageRef.ts';
import { createIdempotency, idempotencyHeaders } from '../access/idempotency.ts';
import type { GatewayApp, GatewayOptions } from '../http/gatewayApp.ts';
import { problems } from '../schemas/rowAnswer.ts';
import { imageRefBody, runParams } from '../schemas/runBody.ts';

const IMAGES_MAX = 100_000;

/** Adds images to a run, from a JSON array or from as many lines of JSON as a client streams. */
export function imageRoutes(app: GatewayApp, { producer, redis, prefix }: GatewayOptions): void {
  const idempotency = createIdempotency(redis, prefix);

  app.post(
    '/v1/runs/:run/images',
    {
      config: { scope: 'enqueue' },
      schema: {
        summary:
          'Add images. Those that the run has already are passed over, so a request that broke off can be repeated.',
        description:
          'A JSON array, or application/x-ndjson: a line each of {"id", "uri"}. Lines are read as fast as the run takes them. ' +
          'With seal=true the run is sealed after the last one.',
        params: runParams,
        querystring: z.strictObject({ seal: z.enum(['true', 'false']).default('false') }),
        headers: idempotencyHeaders,
        body: {
          content: {
            'application/json': { schema: z.array(imageRefBody).min(1).max(IMAGES_MAX) },
            'application/x-ndjson': { schema: z.any() },
            'application/jsonl': { schema: z.any() },
          },
        },
        response: { 200: z.object({ run: z.string(), added: z.int() }), ...problems(404, 409, 413, 415) },
      },
    },
    async (request) => {
      const { run } = request.params;
      const gone = new AbortController();
      request.raw.on('close', () => {
        if (!request.raw.complete)
          gone.abort(new ClipfleetError('REQUEST_INVALID', 'The request broke off.'));
      });
      return idempotency.once(request, {}, async () => {
        const open = await producer.continueRun(run);
        try {
          const added = await open.add(refsOf(request.body), { signal: gone.signal });
          if (request.query.seal === 'true') await open.seal();
          return { run, added };
        } finally {
          await open.close();
        }
      });
    },
  );
}

type Body = z.infer<typeof imageRefBody>[] | Readable;

/** @throws REQUEST_INVALID naming the line that is none; what came before it is added */
async function* refsOf(body: unknown): AsyncGenerator<ImageRef> {
  const given = body as Body;
  if (Array.isArray(given)) {
    for (const { id, uri } of given) yield { id: id ?? uri, uri };
    return;
  }
  let number = 0;
  for await (const lines of linesOf(given)) {
    for (const line of lines) {
      number++;
      if (line.trim() !== '') yield refOf(line, number);
    }
  }
}

function refOf(line: string, number: number): ImageRef {
  const { success, data, error } = imageRefBody.safeParse(parsed(line));
  if (success) return { id: data.id ?? data.uri, uri: data.uri };
  const { path, message } = error.issues[0]!;
  const at = [`line ${number}`, ...path].join(', ');
  throw new ClipfleetError('REQUEST_INVALID', `${at}: ${message}; got ${line.slice(0, 200)}.`);
}

function parsed(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}
