import { z } from 'zod';
import type { GatewayApp, GatewayOptions } from '../http/gatewayApp.ts';
import { problem } from '../schemas/rowAnswer.ts';

/** For probes: without a key and without a limit. */
export function healthRoutes(app: GatewayApp, { redis }: GatewayOptions): void {
  const schema = { response: { 200: z.object({ status: z.literal('ok') }), 503: problem } };
  app.get('/health', { schema: { ...schema, summary: 'Whether the process answers.' } }, async () => ok);
  app.get('/ready', { schema: { ...schema, summary: 'Whether Redis answers.' } }, async () => {
    await redis.ping();
    return ok;
  });
}

const ok = { status: 'ok' } as const;
