import { z } from 'zod';
import { ClipfleetError } from '../../shared/errors.ts';
import type { GatewayApp } from '../http/gatewayApp.ts';
import { problems } from '../schemas/rowAnswer.ts';
import type { Spool } from '../uploads/spool.ts';

/** Where workers read uploaded images that are too large for Redis. */
export function uploadRoutes(app: GatewayApp, spool: Spool): void {
  app.get(
    '/v1/uploads/:name',
    {
      config: { scope: 'read', isUncounted: true },
      schema: {
        summary: 'The bytes of an uploaded image, for workers, until it is labeled.',
        params: z.strictObject({ name: z.string().max(100) }),
        response: {
          200: { content: { 'application/octet-stream': { schema: z.string() } } },
          ...problems(404),
        },
      },
    },
    async (request, reply) => {
      const found = await spool.read(request.params.name);
      if (!found) throw new ClipfleetError('UPLOAD_UNKNOWN', 'Expected an upload that waits, found none.');
      reply.type('application/octet-stream').header('content-length', found.byteCount);
      return reply.send(found.bytes as never);
    },
  );
}
