import fastifyStatic from '@fastify/static';
import { packaged } from '../../shared/packageRoot.ts';
import type { GatewayApp } from '../http/gatewayApp.ts';

/** Nothing from elsewhere, no script in the page itself, and no frame around it. */
const policy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' blob: data:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

/** The page at `/`: plain files, which need no key. What they show does. */
export async function pageRoutes(app: GatewayApp): Promise<void> {
  await app.register(fastifyStatic, {
    root: packaged('src/gateway/page'),
    index: 'index.html',
    setHeaders: (reply) => {
      reply.header('content-security-policy', policy);
      reply.header('referrer-policy', 'no-referrer');
      reply.header('cache-control', 'no-cache');
    },
  });
}
