import { type ChildProcess, spawn } from 'node:child_process';
import { setTimeout as delay } from 'node:timers/promises';
import { ClipfleetError } from '../../shared/errors.ts';
import type { Logger } from '../../shared/log/log.ts';
import type { Config } from '../../shared/options/config.ts';
import { exitCodes } from '../setup/exitCodes.ts';
import { onInterrupt } from '../terminal/interrupt.ts';
import { READY, superviseVariable } from './supervised.ts';

/** Pause before a process is started again: doubled with each failure in a row, and of that a random half to whole. */
const PAUSE_MIN_MS = 1_000;
const PAUSE_MAX_MS = 30_000;
/** A process that ran this long ran well: its next failure counts as the first. */
const WELL_MS = 60_000;
/** Starts in a row that may fail before a process was ever ready; then the reason is taken to be permanent. */
const STARTS_MAX = 3;

/** The device of each process; undefined where the worker is to be one process, this one. @throws USAGE */
export function devicesOf(config: Config<'device' | 'devices' | 'processes'>): string[] | undefined {
  const { device, devices, processes } = config;
  if (devices && processes) {
    const message = 'Expected --devices or --processes, got both. A device may be listed several times.';
    throw new ClipfleetError('USAGE', message);
  }
  return devices ?? (processes ? Array<string>(processes).fill(device) : undefined);
}

/**
 * Runs this same command once for each device, as a process of its own, and starts those again that end.
 *
 * The first signal is passed on, and the processes finish what they have; the second kills them, and so does the end of the grace
 * time. They hold a channel to
 * this process, and finish too when it closes, however this process came to its end. Here is no model and no Redis.
 *
 * Resolves to the exit code: 0 when all have finished, 1 when one could not, or when one cannot be started at all.
 */
export async function supervise(
  devices: readonly string[],
  log: Logger,
  { graceMs, healthPort }: Config<'graceMs' | 'healthPort'>,
): Promise<number> {
  const children = new Set<ChildProcess>();
  const killAll = () => {
    for (const child of children) child.kill('SIGKILL');
  };
  const interrupt = onInterrupt('the worker processes finish the images in flight.', {
    graceMs,
    beforeLeaving: killAll,
  });
  const stopping = new AbortController();
  let exitCode: number = exitCodes.classified;

  function stopAll(signal: NodeJS.Signals): void {
    if (stopping.signal.aborted) return;
    stopping.abort();
    for (const child of children) child.kill(signal);
  }

  async function keepRunning(device: string, place: number): Promise<void> {
    const own = healthPort ? ['--health-port', String(healthPort + place)] : [];
    let failures = 0;
    let wasReady = false;
    while (!stopping.signal.aborted) {
      const startedAt = performance.now();
      const child = startProcess(['--device', device, ...own]);
      child.once('message', (message) => {
        wasReady ||= message === READY;
      });
      children.add(child);
      log.info({ device, pid: child.pid }, 'worker process started');
      const { code, signal } = await endOf(child);
      children.delete(child);
      const end = { device, pid: child.pid, code, signal };
      if (stopping.signal.aborted) {
        // One that was still loading its model had nothing to finish.
        if (code !== 0 && wasReady) exitCode = exitCodes.couldNotRun;
        log.info(end, 'worker process ended');
        return;
      }
      failures = performance.now() - startedAt >= WELL_MS ? 1 : failures + 1;
      if (!wasReady && failures >= STARTS_MAX) {
        log.fatal(end, `worker process ended ${failures} times before it was ready: giving up`);
        exitCode = exitCodes.couldNotRun;
        stopAll('SIGTERM');
        return;
      }
      const pauseMs = pauseAfter(failures);
      log.error({ ...end, pauseMs }, 'worker process ended: it is started again');
      await delay(pauseMs, undefined, { signal: stopping.signal }).catch(() => {});
    }
  }

  void interrupt.interrupted.then(() => stopAll(interrupt.signal.reason));
  await Promise.all(devices.map(keepRunning));
  interrupt.stop();
  return exitCode;
}

/** The command line as it is, and what is the process's own behind it: of a flag that is given twice, the last counts. */
function startProcess(own: readonly string[]): ChildProcess {
  const [script, ...args] = process.argv.slice(1);
  return spawn(process.execPath, [...process.execArgv, script!, ...args, ...own], {
    env: { ...process.env, [superviseVariable]: 'true' },
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
}

function endOf(child: ChildProcess): Promise<{ code: number | null; signal: NodeJS.Signals | null }> {
  return new Promise((resolve) => {
    child.once('exit', (code, signal) => resolve({ code, signal }));
    // The process could not even be made.
    child.once('error', () => resolve({ code: null, signal: null }));
  });
}

/** Random, so that processes that fail together do not come back together. */
function pauseAfter(failures: number): number {
  const whole = Math.min(PAUSE_MIN_MS * 2 ** (failures - 1), PAUSE_MAX_MS);
  return Math.round(whole * (0.5 + Math.random() / 2));
}
