import type { Config } from '../../shared/options/config.ts';
import { version } from '../../shared/version.ts';
import { jsonAnswer, serveHealth } from '../../worker/healthServer.ts';
import { createWorkerMetrics, type WorkerMetrics } from '../../worker/telemetry/workerMetrics.ts';
import type { RunningWorker } from '../../worker/worker.ts';

/** Answers probes and Prometheus, where the user wants it. @throws PORT_UNAVAILABLE */
export async function openHealth(
  { batchSize, ...about }: { model: string; device: string; batchSize: number },
  running: () => RunningWorker | undefined,
  { healthPort, healthHost: host }: Config<'healthPort' | 'healthHost'>,
): Promise<{ healthPort?: number; metrics?: WorkerMetrics }> {
  if (healthPort === undefined) return {};
  const metrics = createWorkerMetrics({ ...about, version }, batchSize, () => {
    const worker = running();
    return worker && { inside: worker.inside(), ready: worker.health().ready };
  });
  const ready = () => {
    const report = running()?.health() ?? { ready: false, reasons: ['it starts'] };
    return jsonAnswer(report.ready, report);
  };
  const alive = () => jsonAnswer(true, { alive: true, version, uptimeSeconds: Math.round(process.uptime()) });
  const numbers = async () => ({ status: 200, ...(await metrics.text()) });
  const paths = { '/health': alive, '/ready': ready, '/metrics': numbers };
  const { port } = await serveHealth(paths, { host, port: healthPort });
  return { healthPort: port, metrics };
}
