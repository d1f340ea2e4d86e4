import { createHash } from 'node:crypto';
import type { FastifyRequest } from 'fastify';
import type { Redis } from 'ioredis';
import { z } from 'zod';
import { ClipfleetError } from '../../shared/errors.ts';

export const idempotencyHeaders = z.looseObject({
  'idempotency-key': z
    .string()
    .regex(/^[\x21-\x7e]{1,255}$/)
    .optional()
    .describe('Of your choice, new for each request. A request that is repeated with it is done once.'),
});

/** How long an answer is kept for repetitions, and how long a gateway that died blocks them. */
const [KEPT_S, LEASE_MS] = [24 * 3_600, 10_000];

interface Entry<T> {
  /** What was asked, without its body: another request with the key is a mistake of the caller. */
  request: string;
  /** What was drawn for the first try; later ones go on with it. */
  drawn: T;
  answer?: unknown;
}

/**
 * Makes requests with an `Idempotency-Key` happen once: a repetition of one that was answered gets that answer, one of a request in progress is
 * refused, and one whose gateway died goes on where it broke off, because the work itself may be repeated.
 */
export function createIdempotency(redis: Redis, prefix: string) {
  return {
    /**
     * @param drawn what the work must do again with the same values, such as a new id
     * @throws IDEMPOTENCY_CONFLICT
     */
    async once<T, R>(request: FastifyRequest, drawn: T, work: (drawn: T) => Promise<R>): Promise<R> {
      const given = request.headers['idempotency-key'];
      if (typeof given !== 'string') return work(drawn);
      const name = createHash('sha256')
        .update(`${request.holder?.name ?? ''} ${given}`)
        .digest('hex');
      const key = `${prefix}:idempotency:{${name}}`;
      const lease = `${key}:lease`;
      if ((await redis.set(lease, request.id, 'PX', LEASE_MS, 'NX')) === null)
        throw conflict(`a request with the Idempotency-Key ${given} is in progress.`);
      const renewing = setInterval(() => void redis.pexpire(lease, LEASE_MS).catch(() => {}), LEASE_MS / 3);
      try {
        const asked = `${request.method} ${request.url}`;
        const entry: Entry<T> = { request: asked, drawn };
        await redis.set(key, JSON.stringify(entry), 'EX', KEPT_S, 'NX');
        const kept = JSON.parse((await redis.get(key))!) as Entry<T>;
        if (kept.request !== asked)
          throw conflict(`the Idempotency-Key ${given} was used for ${kept.request}.`);
        if (kept.answer !== undefined) return kept.answer as R;
        const answer = await work(kept.drawn);
        await redis.set(key, JSON.stringify({ ...kept, answer }), 'EX', KEPT_S);
        return answer;
      } finally {
        clearInterval(renewing);
        await redis.del(lease).catch(() => {});
      }
    },
  };
}

function conflict(found: string): ClipfleetError {
  return new ClipfleetError('IDEMPOTENCY_CONFLICT', `Expected a new Idempotency-Key, but ${found}`);
}
