import type { FastifyInstance, FastifyRequest } from 'fastify';
import ipaddr from 'ipaddr.js';
import { ClipfleetError } from '../../shared/errors.ts';
import type { ApiKeys, KeyHolder, KeyScope } from '../keys/apiKeys.ts';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** What a key needs for the route; absent for routes that everybody may ask. */
    scope?: KeyScope;
    /** Whether its requests are counted by no limit. */
    isUncounted?: boolean;
    /** Whether OpenAI's clients ask it, whose errors have a form of their own. */
    isOpenAi?: boolean;
  }
  interface FastifyRequest {
    holder: KeyHolder | undefined;
  }
}

/** Whether only this machine can reach an address that is listened on. */
export function isLoopback(host: string): boolean {
  const bare = host.replace(/^\[|\]$/g, '');
  return bare === 'localhost' || (ipaddr.isValid(bare) && ipaddr.process(bare).range() === 'loopback');
}

/** Who is let in besides this machine, where there are no keys. */
interface Welcome {
  /** Names besides loopback that may be asked for. */
  trustedHosts: readonly string[];
  /** Other sites whose pages may ask. */
  origins: readonly string[];
}

/**
 * Lets in who has a key with the route's scope. Without keys everybody on this machine may do everything, so that pages of other sites
 * in its browsers must be kept out: by the Host they ask for (DNS rebinding), and by the Origin that browsers name.
 */
export function guardRoutes(app: FastifyInstance, keys: ApiKeys | undefined, welcome: Welcome): void {
  app.decorateRequest('holder', undefined);
  app.addHook('onRequest', async (request, reply) => {
    const { scope } = request.routeOptions.config;
    if (keys === undefined) return requireOwnPage(request, welcome);
    if (scope === undefined) return;
    request.holder = keys.holderOf(keyOf(request));
    if (!request.holder) {
      reply.header('www-authenticate', 'Bearer');
      throw new ClipfleetError(
        'KEY_INVALID',
        'Expected Authorization: Bearer KEY with a key of this gateway.',
      );
    }
    requireScope(request, scope);
  });
}

/** For routes where the body says what is needed. Without keys everybody may. @throws KEY_FORBIDDEN */
export function requireScope({ holder }: FastifyRequest, scope: KeyScope): void {
  if (!holder || holder.scopes.includes(scope) || holder.scopes.includes('admin')) return;
  const { name, scopes } = holder;
  const message = `Expected a key with the scope ${scope}, the key '${name}' has ${scopes.join(', ')}.`;
  throw new ClipfleetError('KEY_FORBIDDEN', message);
}

function keyOf({ headers }: FastifyRequest): string {
  return /^Bearer +(\S+)$/i.exec(headers.authorization ?? '')?.[1] ?? '';
}

function requireOwnPage({ headers }: FastifyRequest, { trustedHosts, origins }: Welcome): void {
  const { host = '', origin } = headers;
  const name = host.replace(/:\d+$/, '');
  if (!isLoopback(name) && !trustedHosts.includes(name)) {
    const message = `Expected a loopback host, got ${JSON.stringify(host)}: without --api-keys only this machine is served.`;
    throw new ClipfleetError('KEY_FORBIDDEN', message);
  }
  if (origin === undefined || origin === `http://${host}` || origins.includes(origin)) return;
  const message = `Expected a request of the gateway's own page, got one of ${JSON.stringify(origin)}: --cors-origin lets it in.`;
  throw new ClipfleetError('KEY_FORBIDDEN', message);
}
