import type { MetricsText } from '../../shared/telemetry/metrics.ts';
import type { GatewayApp } from '../http/gatewayApp.ts';

/** For Prometheus. */
export function metricsRoute(app: GatewayApp, text: () => Promise<MetricsText>): void {
  const schema = { summary: 'The gateway’s numbers and the fleet’s, in Prometheus’ text format.' };
  app.get('/metrics', { config: { scope: 'read', isUncounted: true }, schema }, async (_, reply) => {
    const { type, body } = await text();
    return reply.type(type).send(body);
  });
}
