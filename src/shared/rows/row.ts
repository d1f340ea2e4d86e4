import type { ErrorCode } from '../errors.ts';
import { shortened } from '../shortened.ts';
import { nameLabels, type Prediction, type RankedLabel } from './prediction.ts';

/** Where the row's image stood in its run: chunk number and place in the chunk. Sorting by it gives the input's order. */
export interface RowPlace {
  chunk: number;
  index: number;
}

interface RowBase {
  id: string;
  uri: string;
  /** Retry generation: 0 for the first pass over a run, one more for each later pass over its failed images. */
  generation: number;
  place: RowPlace;
  /** When the worker made the row, in whole seconds since 1970 UTC. */
  at: number;
}

export interface ClassifiedRow extends RowBase {
  status: 'classified';
  /** Best first; empty where every label is below its threshold. */
  predictions: RankedLabel[];
  /** The fingerprint of the model that made the embedding. */
  fingerprint: string;
}

export interface FailedRow extends RowBase {
  status: 'failed';
  error: { code: ErrorCode; message: string };
}

/** A row has room for a sentence or two; what a stranger's bytes put into a message may be megabytes, and comes once for each image. */
const MESSAGE_CHARS_MAX = 1_000;

/** What a failed row says of its error. */
export function rowError({ code, message }: FailedRow['error']): FailedRow['error'] {
  return { code, message: shortened(message, MESSAGE_CHARS_MAX) };
}

/** What the results store keeps of one image of a run. */
export type Row = ClassifiedRow | FailedRow;

/** What a run names in place of a label set that is for vectors alone: its classified rows have no predictions, and users read `embedded`. */
export const noLabelSet = 'none';

/** What a run says of all its rows. */
interface RowRun {
  run: string;
  model: string;
  labelSet: string;
}

interface PublicBase extends Omit<RowBase, 'place' | 'at'>, RowRun {
  /** When the worker made the row, ISO 8601, to the second. */
  at: string;
}

/** A row as users read it: the store's row, its labels by name, with what its run says of all of them. */
export type PublicRow =
  | (PublicBase & Pick<ClassifiedRow, 'status' | 'fingerprint'> & { predictions: Prediction[] })
  | (PublicBase & { status: 'embedded'; fingerprint: string })
  | (PublicBase & Pick<FailedRow, 'status' | 'error'>);

/** A row of a run that has labels. */
export type LabeledRow = Exclude<PublicRow, { status: 'embedded' }>;

/**
 * A row with its labels by name and its time as ISO 8601.
 *
 * @param labels those of the run's label set, in its order
 */
export function publicRow(
  row: Row,
  { run, model, labelSet }: RowRun,
  labels: readonly { label: string }[],
): PublicRow {
  const { id, uri, generation } = row;
  const at = new Date(1_000 * row.at).toISOString();
  const about = { model, labelSet, generation, at };
  if (row.status === 'failed') return { run, id, uri, status: row.status, error: row.error, ...about };
  const { fingerprint } = row;
  if (labelSet === noLabelSet) return { run, id, uri, status: 'embedded', ...about, fingerprint };
  const predictions = nameLabels(row.predictions, labels);
  return { run, id, uri, status: row.status, predictions, ...about, fingerprint };
}
