import { parseArgs } from 'node:util';
import type { z } from 'zod';

/** One setting of a bench; its flag is the name it goes by. */
export interface Argument<T> {
  schema: z.ZodType<T>;
  /** As it would be typed. */
  default: string;
  says: string;
}

/** Infers the type of the value from the schema. */
export const argument = <T>(definition: Argument<T>) => definition;

export type Arguments = Record<string, Argument<unknown>>;

export type Values<A extends Arguments> = { [K in keyof A]: z.infer<A[K]['schema']> };

/** What a bench works with. Its folder and what it started are gone afterwards, however it ended. */
export interface Bench<A extends Arguments = Arguments> {
  /** Heading of its section in docs/benchmarks.md. */
  title: string;
  /** What is measured, and what the columns mean, in Markdown. */
  says: string;
  arguments: A;
  /** Packages whose versions belong beside the figures. */
  packages: readonly string[];
  /** Resolves to the figures, in Markdown. */
  run(values: Values<A>, bed: TestBed): Promise<string>;
}

export interface TestBed {
  /** An empty folder of this run. */
  folder: string;
  /** Tells whoever waits how far the bench is. */
  say(line: string): void;
  /** Done at the end, the last one first. */
  after(cleanUp: () => unknown): void;
}

/** Infers the types of the arguments' values. */
export const defineBench = <A extends Arguments>(bench: Bench<A>) => bench;

/** The values of a command line. @throws Error with every fault */
export function readValues<A extends Arguments>(definitions: A, argv: readonly string[]): Values<A> {
  const names = Object.keys(definitions);
  const options = Object.fromEntries(names.map((name) => [name, { type: 'string' }] as const));
  const { values: given } = parseArgs({ args: [...argv], options, strict: true });
  const faults: string[] = [];
  const values: Record<string, unknown> = {};
  for (const [name, { schema, default: byDefault }] of Object.entries(definitions)) {
    const text = given[name] ?? byDefault;
    const parsed = schema.safeParse(text);
    if (parsed.success) values[name] = parsed.data;
    else faults.push(`--${name}: ${parsed.error.issues[0]?.message}, got '${String(text)}'.`);
  }
  if (faults.length > 0) throw new Error(faults.join('\n'));
  return values as Values<A>;
}

/** A table of Markdown. */
export function table(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  return [line(header), line(header.map(() => '---')).replaceAll(' ', ''), ...rows.map(line)].join('\n');
}
