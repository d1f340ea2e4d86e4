import type { LeftOut } from '../../producer/images/leftOut.ts';
import type { BackOffOptions } from '../../shared/backOff.ts';
import type { LabelSet } from '../../shared/labels/labelSet.ts';
import { likeLabels } from '../setup/labels.ts';
import { printable } from './printable.ts';
import { say } from './screen.ts';

/**
 * Says on standard error what folders, archives and buckets have and that was not read. Before the work begins that is what was
 * seen up to the first image: of a folder all that lies beside that image. Nothing is read twice, or kept, to know the rest.
 */
export function sayLeftOut(leftOut: LeftOut, when?: ' so far'): void {
  const text = leftOut.text(when);
  if (text !== undefined) say(printable(text));
}

/** Says on standard error what stands against workers finding the images. */
export function warnOfRoots(faults: readonly string[]): void {
  for (const fault of faults) say(`Warning: ${printable(fault)}.`);
}

/** Says on standard error which labels a model cannot tell apart. */
export function warnOfLikeLabels(labelSet: LabelSet): void {
  const like = likeLabels(labelSet);
  if (like !== undefined) say(`Warning: ${printable(like)}`);
}

/** Says on standard error what a command waits for, where its log is too quiet for that. */
export const waitsSaid: BackOffOptions['log'] = {
  warn: ({ err }, message) => say(printable(`${message}: ${(err as Error).message}`)),
  info: (_, message) => say(message),
};
