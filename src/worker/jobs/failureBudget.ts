import type { Logger } from '../../shared/log/log.ts';
import type { ResultsStore } from '../../shared/rows/resultsStore.ts';
import type { RunControl } from '../../shared/runs/runControl.ts';
import type { Runs } from '../../shared/runs/runs.ts';

export interface FailureBudgetOptions {
  runs: Pick<Runs, 'get'>;
  store: Pick<ResultsStore, 'counts'>;
  control: Pick<RunControl, 'pause'>;
  log: Pick<Logger, 'warn'>;
}

/** Before so many images are done, a rate says little. */
const DONE_MIN = 100;

/**
 * Pauses a run of which too many images fail, because something is wrong with its source and not with single images: a
 * changed URL scheme, a share that is not mounted.
 *
 * To be asked after rows were written among which some failed.
 */
export function createFailureBudget({ runs, store, control, log }: FailureBudgetOptions) {
  return async function check(run: string): Promise<void> {
    const record = await runs.get(run);
    if (record?.maxFailureRate === undefined || record.paused !== undefined) return;
    if (record.state === 'cancelled') return;
    const { classified, failed, failures } = await store.counts(run);
    const done = classified + failed;
    if (done < DONE_MIN || failed <= record.maxFailureRate * done) return;
    const [code, times] = Object.entries(failures).reduce((most, each) => (each[1] > most[1] ? each : most));
    const why =
      `${failed} of ${done} images failed, more than --max-failure-rate ${record.maxFailureRate} allows, ` +
      `${times} of them with ${code}`;
    await control.pause(run, why);
    log.warn({ run, why }, 'run paused');
  };
}

export type FailureBudget = ReturnType<typeof createFailureBudget>;
