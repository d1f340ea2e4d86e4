/** Exit codes: all classified, could not run, some failed, ended by Ctrl-C. */
export const exitCodes = { classified: 0, couldNotRun: 1, failed: 2, interrupted: 130 } as const;
