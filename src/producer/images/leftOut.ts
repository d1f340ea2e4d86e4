import { endingOf } from './imageName.ts';

/** Told of each file that a folder, an archive or a bucket has and that is not read. */
export type OnLeftOut = (name: string) => void;

/** Endings named by themselves; the others are counted together, because names of files are without number. */
const ENDINGS_NAMED = 8;
const ENDINGS_KEPT = 1_000;
const ENDING_CHARS_MAX = 12;

/** Counts what is left out by its ending. Memory is bounded. */
export function createLeftOut() {
  const counts = new Map<string, number>();
  let total = 0;
  return {
    add(name: string): void {
      total++;
      const ending = endingOf(name);
      const kind = ending === undefined || ending.length > ENDING_CHARS_MAX ? 'without an ending' : ending;
      const key = counts.has(kind) || counts.size < ENDINGS_KEPT ? kind : 'others';
      counts.set(key, (counts.get(key) ?? 0) + 1);
    },
    /** `left out: 4 (2 without an ending, 1 mov, 1 psd)`, or undefined where nothing was. `so far` before the source is read. */
    text(when: '' | ' so far' = ''): string | undefined {
      if (total === 0) return undefined;
      const ranked = [...counts].sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1));
      const named = ranked.slice(0, ENDINGS_NAMED).map(([kind, files]) => `${files} ${kind}`);
      const rest = ranked.slice(ENDINGS_NAMED).reduce((sum, [, files]) => sum + files, 0);
      return `left out${when}: ${total} (${[...named, ...(rest > 0 ? [`${rest} others`] : [])].join(', ')})`;
    },
  };
}

export type LeftOut = ReturnType<typeof createLeftOut>;
