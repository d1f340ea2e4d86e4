import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';

export { Counter, Gauge, Histogram, type Registry };

/** What Prometheus is answered with: its text format, and the content type that says so. */
export interface MetricsText {
  type: string;
  body: string;
}

/** The metrics of a process, which has memory, CPU time, garbage collection and its event loop in it already. */
export function createProcessRegistry(): Registry {
  const registry = new Registry();
  const registers = [registry];
  collectDefaultMetrics({ register: registry });
  // Gauges with the suffix of counters, which promtool objects to.
  for (const what of ['handles', 'requests', 'resources'])
    registry.removeSingleMetric(`nodejs_active_${what}_total`);
  new Counter({
    ...{ name: 'clipfleet_event_loop_seconds_total', registers, labelNames: ['state'] },
    help: 'Time of the main thread, by what its event loop did: active or idle.',
    collect() {
      const { active, idle } = performance.eventLoopUtilization();
      this.reset();
      this.inc({ state: 'active' }, active / 1_000);
      this.inc({ state: 'idle' }, idle / 1_000);
    },
  });
  return registry;
}

/** Everything in the registry, in Prometheus' text format. */
export async function textOf(registry: Registry): Promise<MetricsText> {
  return { type: registry.contentType, body: await registry.metrics() };
}
