import rateLimit from '@fastify/rate-limit';
import { ClipfleetError } from '../../shared/errors.ts';
import type { GatewayApp, GatewayOptions } from '../http/gatewayApp.ts';

/**
 * Counts the requests of each key, or of each address where there are no keys, in Redis: one limit for all gateways. Routes for
 * probes, scrapers and workers have no limit: they are answered without Redis, too. Where Redis does not answer, requests are not counted.
 */
export async function limitRate(app: GatewayApp, options: GatewayOptions): Promise<void> {
  const { redis, prefix, requestsPerMinute } = options;
  await app.register(rateLimit, {
    max: requestsPerMinute,
    timeWindow: '1 minute',
    redis,
    nameSpace: `${prefix}:rate:`,
    skipOnError: true,
    keyGenerator: ({ holder, ip }) => (holder ? `key:${holder.name}` : `ip:${ip}`),
    allowList: ({ routeOptions: { config } }) => config.scope === undefined || config.isUncounted === true,
    errorResponseBuilder: (_, { max, after }) =>
      new ClipfleetError('RATE_LIMITED', `Expected at most ${max} requests a minute; go on in ${after}.`),
  });
}
