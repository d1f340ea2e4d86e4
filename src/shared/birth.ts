import { randomInt } from 'node:crypto';

/**
 * A run by its id, or by its id and its birth: the random mark that its record got when it was opened. What is said of a birth that
 * is not the record's is refused: Redis came back empty meanwhile, and another run may have the id. A run or a job that
 * names no birth, as those of other producers may, is taken by its id alone.
 */
export type RunName = string | { run: string; birth?: string | undefined };

/** The births that job ids may name. */
export const BIRTH = /^[a-z0-9]{1,16}$/;

/** 41 random bits: enough to tell the runs of one id apart, and short, because each job's id has it. */
export function newBirth(): string {
  return randomInt(36 ** 8 - 1)
    .toString(36)
    .padStart(8, '0');
}

/** @returns the birth as an empty text where none is named: what scripts are given */
export function namedRun(of: RunName): { run: string; birth: string } {
  return typeof of === 'string' ? { run: of, birth: '' } : { run: of.run, birth: of.birth ?? '' };
}
