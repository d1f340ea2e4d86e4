import { endAfter } from '../setup/leave.ts';

/** Set in the environment of a process that a supervisor starts. */
export const superviseVariable = 'CLIPFLEET_SUPERVISED';

/** What such a process says over its channel when it takes jobs. */
export const READY = 'ready';

/**
 * Whether a supervisor started this process, also one that is gone since: then the channel is closed, but it was there. Whoever
 * merely inherited the variable has none.
 */
export function isSupervised(): boolean {
  return process.env[superviseVariable] !== undefined && process.connected !== undefined;
}

/**
 * Resolves when a supervised process should finish what it has: at a signal, or when its supervisor is gone. From then on it has its
 * grace time to end.
 *
 * More signals change nothing. Ctrl-C reaches every process of a terminal and systemd signals every process of a unit, so
 * that one signal comes twice here, directly and passed on; it is the supervisor that kills at the second.
 */
export function supervisorSaysStop(graceMs: number): Promise<void> {
  return new Promise((resolve) => {
    let stopping = false;
    const stop = () => {
      // However it is told, nobody else may be there to end it.
      if (!stopping) endAfter(graceMs, 'SIGTERM');
      stopping = true;
      resolve();
    };
    process.on('SIGINT', stop);
    process.on('SIGTERM', stop);
    process.once('disconnect', stop);
    if (!process.connected) stop();
    // The channel alone must not keep the process alive once it has finished.
    process.channel?.unref();
  });
}

export function sayReady(): void {
  // Nobody may be there any more to hear it.
  if (isSupervised() && process.connected) process.send?.(READY, undefined, undefined, () => {});
}
