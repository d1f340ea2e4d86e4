import type { Settled } from '../../producer/runs/chunkSender.ts';
import { printable } from './printable.ts';
import { say } from './screen.ts';

/** How many chunks are named: the rest is counted. */
const NAMED = 10;

/**
 * What was done with chunks that had no job, in a line each; none where there were none.
 *
 * @param then what becomes of the images of those that were taken back
 */
export function settledLines({ withdrawn, vouched }: Settled, then: string): string[] {
  const lines: string[] = [];
  if (withdrawn.length > 0) {
    lines.push(
      `${withdrawn.length} chunks taken back, which have no job that can be read (${named(withdrawn)}): ${then}`,
    );
  }
  if (vouched.length > 0) {
    lines.push(
      `${vouched.length} chunks left alone, whose producer is about to add their jobs (${named(vouched)}): run audit when it has ended`,
    );
  }
  return lines;
}

/** Says it on standard error. */
export function saySettled(settled: Settled, then: string): void {
  for (const line of settledLines(settled, then)) say(printable(line));
}

function named(chunks: readonly string[]): string {
  return chunks.slice(0, NAMED).join(', ');
}
