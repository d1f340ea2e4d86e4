/**
 * The first SIGINT or SIGTERM asks to drain, the second ends the process at once.
 *
 * Either way nothing is lost: rows are written before their job completes, and what has no row can be continued.
 */
export function onInterrupt(sayWhatHappens: string): { signal: AbortSignal; stop(): void } {
  const controller = new AbortController();
  const handle = (name: NodeJS.Signals) => {
    if (controller.signal.aborted) process.exit(name === 'SIGINT' ? 130 : 143);
    process.stderr.write(`\n${name}: ${sayWhatHappens} Once more to leave at once.\n`);
    controller.abort(name);
  };
  process.on('SIGINT', handle);
  process.on('SIGTERM', handle);
  return {
    signal: controller.signal,
    stop() {
      process.off('SIGINT', handle);
      process.off('SIGTERM', handle);
    },
  };
}
