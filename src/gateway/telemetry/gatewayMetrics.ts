import {
  Counter,
  createProcessRegistry,
  Gauge,
  Histogram,
  type MetricsText,
  textOf,
} from '../../shared/telemetry/metrics.ts';
import { version } from '../../shared/version.ts';
import type { GatewayApp, GatewayOptions } from '../http/gatewayApp.ts';
import { createFleetNumbers, type FleetNumbers } from './fleetNumbers.ts';

/** From an answer out of memory to a single image behind many, in seconds. */
const REQUEST_SECONDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60];

/** Refusals that an operator looks for; their series are there before the first. */
const REFUSALS = ['RATE_LIMITED', 'QUEUE_FULL', 'GATEWAY_OVERLOADED'] as const;

/**
 * Counts what the gateway is asked, and gives its numbers and the fleet's to Prometheus. Names and units follow
 * https://prometheus.io/docs/practices/naming/. No label names a run, an image or a key.
 */
export function measureGateway(app: GatewayApp, options: GatewayOptions): () => Promise<MetricsText> {
  const registry = createProcessRegistry();
  const registers = [registry];
  const readNumbers = createFleetNumbers(options);
  const setFleet = createFleetGauges(registers);
  new Gauge({
    ...{ name: 'clipfleet_gateway_info', help: 'The gateway’s version, always 1.', registers },
    labelNames: ['version'],
  }).set({ version }, 1);
  const seconds = new Histogram({
    ...{ name: 'clipfleet_http_request_duration_seconds', registers, buckets: REQUEST_SECONDS },
    help: 'Time from a request to the end of its answer; streams of events end when their reader goes.',
    labelNames: ['method', 'route', 'status'],
  });
  const errors = new Counter({
    ...{ name: 'clipfleet_http_errors_total', registers, labelNames: ['code'] },
    help: 'Requests that were answered with an error, by its code: RATE_LIMITED and QUEUE_FULL are refusals.',
  });
  for (const code of REFUSALS) errors.inc({ code }, 0);
  app.addHook('onResponse', async ({ method, routeOptions }, { statusCode, elapsedTime, problemCode }) => {
    const route = routeOptions.url ?? 'none';
    seconds.observe({ method, route, status: statusCode }, elapsedTime / 1_000);
    if (problemCode !== undefined) errors.inc({ code: problemCode });
  });
  return async () => {
    setFleet(await readNumbers());
    return textOf(registry);
  };
}

/** The fleet's gauges. Where Redis does not answer, only that is said: old numbers would be taken for new ones. */
function createFleetGauges(registers: ReturnType<typeof createProcessRegistry>[]) {
  const gauge = (name: string, help: string, labelNames: string[] = []) =>
    new Gauge({ name: `clipfleet_${name}`, help, labelNames, registers });
  const up = gauge('redis_up', 'Whether Redis answers: 1 or 0.');
  const used = gauge('redis_memory_bytes', 'Memory that Redis uses.');
  const max = gauge('redis_memory_max_bytes', 'Memory that Redis may use; 0 for no limit.');
  const images = gauge(
    'queue_images',
    'Images in a lane: waiting for a worker, active in the hands of one, or held because their run is paused.',
    ['model', 'lane', 'state'],
  );
  const oldest = gauge('queue_oldest_seconds', 'Age of the oldest image that waits in a lane; 0 for none.', [
    'model',
    'lane',
  ]);
  const runs = gauge('runs', 'Runs by state, without those of single images.', ['state']);
  const workers = gauge('workers', 'Workers that serve a model now.', ['model', 'device']);
  const all = [used, max, images, oldest, runs, workers];
  return (numbers: FleetNumbers | undefined) => {
    for (const each of all) each.reset();
    up.set(numbers ? 1 : 0);
    if (!numbers) {
      // A gauge without labels would say 0.
      for (const each of [used, max]) each.remove();
      return;
    }
    used.set(numbers.memory.used);
    max.set(numbers.memory.max);
    for (const { model, lane, waiting, active, held, oldestMs } of numbers.depths) {
      for (const [state, of] of Object.entries({ waiting, active, held }))
        images.set({ model, lane, state }, of);
      oldest.set({ model, lane }, oldestMs / 1_000);
    }
    for (const [state, of] of Object.entries(numbers.runs)) runs.set({ state }, of);
    for (const { model, workers: serving } of numbers.models) {
      // A model that none serves now is a fact to alert on.
      if (serving.length === 0) workers.set({ model, device: '' }, 0);
      for (const { device } of serving) workers.inc({ model, device });
    }
  };
}
