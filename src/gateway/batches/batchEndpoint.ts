import type { z } from 'zod';
import { ClipfleetError } from '../../shared/errors.ts';
import type { LabelSet } from '../../shared/labels/labelSet.ts';
import type { ImageRef } from '../../shared/refs/imageRef.ts';
import type { ResultsStore } from '../../shared/rows/resultsStore.ts';
import type { ClassifiedRow } from '../../shared/rows/row.ts';

/** A request of a batch that is of the form of its endpoint. */
export interface ReadLine<T> {
  /** Of its line. */
  number: number;
  /** Identity of the model that it means. */
  model: string;
  asked: T;
}

/** A run that answers some of a window's lines. */
export interface PlannedRun {
  /** What tells it from the window's other runs, and is the same each time. */
  key: string;
  model: string;
  labelSet: LabelSet | undefined;
  keepEmbeddings?: string;
  images: ImageRef[];
  /** The numbers of its lines. */
  lines: number[];
  /**
   * The body that answers a line, once the run has ended; undefined where an image of it has no row.
   *
   * @throws what the line's image failed with
   */
  answer(run: string, line: number): Promise<unknown>;
  /** Whether lines with labels of others are in it, so that it is worth asking each alone where the labels are refused. */
  isMixed: boolean;
}

/** What requests of a batch may ask for, and which runs answer them. */
export interface BatchEndpoint<T extends { model: string | undefined } = { model: string | undefined }> {
  /** How much a request asks for: images and texts. */
  weigh(body: unknown): number;
  /** @throws REQUEST_INVALID, LABEL_SET_INVALID */
  read(body: unknown): T;
  /** The runs of lines that are answered together. */
  plan(lines: readonly ReadLine<T>[]): PlannedRun[];
}

/** A body of a line as its schema has it. @throws REQUEST_INVALID */
export function bodyOf<T extends z.ZodType>(schema: T, body: unknown): z.infer<T> {
  const { success, data, error } = schema.safeParse(body);
  if (success) return data;
  const { path, message } = error.issues[0]!;
  throw new ClipfleetError('REQUEST_INVALID', `${['body', ...path].join('.')}: ${message}.`);
}

/** Lines by what they have in common, in their order. */
export function groupedBy<T>(lines: readonly T[], keyOf: (line: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const line of lines) {
    const key = keyOf(line);
    const group = groups.get(key);
    if (group) group.push(line);
    else groups.set(key, [line]);
  }
  return groups;
}

/** The row of an image; undefined where there is none. @throws what the image failed with */
export async function classifiedRow(
  store: Pick<ResultsStore, 'getRow'>,
  run: string,
  id: string,
): Promise<ClassifiedRow | undefined> {
  const row = await store.getRow(run, id);
  if (row?.status === 'failed') throw new ClipfleetError(row.error.code, row.error.message);
  return row;
}
