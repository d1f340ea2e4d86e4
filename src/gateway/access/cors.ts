import type { FastifyInstance } from 'fastify';

/** How long a browser may remember what a preflight said. */
const MAX_AGE_S = 600;

const methods = 'GET, HEAD, POST, PUT, DELETE';
const requestHeaders = 'authorization, content-type, idempotency-key, last-event-id, x-request-id';
const answerHeaders = 'x-request-id, retry-after';

/**
 * Lets pages of the named origins read answers (CORS, in WHATWG Fetch); without a name those of no other. A key stays needed: it comes in a header
 * and never by itself, so no credentials are allowed. To be called before keys are asked for, because preflights have none.
 */
export function allowOrigins(app: FastifyInstance, origins: readonly string[]): void {
  if (origins.length === 0) return;
  app.addHook('onRequest', async ({ method, headers }, reply) => {
    reply.header('vary', 'Origin');
    const { origin } = headers;
    if (origin === undefined || !origins.includes(origin)) return;
    reply.header('access-control-allow-origin', origin);
    reply.header('access-control-expose-headers', answerHeaders);
    if (method !== 'OPTIONS' || headers['access-control-request-method'] === undefined) return;
    reply.header('access-control-allow-methods', methods);
    reply.header('access-control-allow-headers', requestHeaders);
    return reply.header('access-control-max-age', MAX_AGE_S).code(204).send();
  });
}
