import type { ErrorCode } from '../errors.ts';
import type { RankedLabel } from './prediction.ts';
import type { FoundRow } from './resultsStore.ts';
import type { Row } from './row.ts';
import { RowReader, RowWriter } from './rowBytes.ts';

/**
 * A row as bytes, for stores that count them: the wire format's row, which docs/wire-format.md writes out.
 *
 * What many rows share is left out: labels are places in the run's label set, and a model's fingerprint is a number that
 * the row's bucket has for it. Scores are float32, times whole seconds.
 */

/** What each prediction has besides its score: the lowest two bits below the number of predictions. */
const WITH_LOGIT = 1;
const WITH_COSINE = 2;

const writer = new RowWriter();

/** A row replaces one of a lower rank only: a higher retry generation wins, then classified over failed. */
export function rankOf(row: Pick<Row, 'generation' | 'status'>): number {
  return 2 * row.generation + (row.status === 'classified' ? 1 : 0);
}

/** @param fingerprint the bucket's number for the fingerprint of a classified row */
export function encodeRow(row: Row, fingerprint: number): Buffer {
  writer.clear();
  writer.uint16(rankOf(row));
  writer.uint32(row.at);
  // At a fixed place, so that the script which replaces the row can tell what it counted as.
  if (row.status === 'failed') writer.text(row.error.code);
  writer.varint(row.place.chunk);
  writer.varint(row.place.index);
  if (row.uri === row.id) writer.varint(0);
  else writer.text(row.uri, 1);
  if (row.status === 'failed') {
    writer.text(row.error.message);
  } else {
    writer.varint(fingerprint);
    writePredictions(row.predictions);
  }
  return writer.copy();
}

/** All predictions of a row have the same outputs: those their label set asks for. */
function writePredictions(predictions: readonly RankedLabel[]): void {
  const withLogit = predictions[0]?.logit !== undefined;
  const withCosine = predictions[0]?.cosine !== undefined;
  const outputs = (withLogit ? WITH_LOGIT : 0) + (withCosine ? WITH_COSINE : 0);
  writer.varint(4 * predictions.length + outputs);
  for (const { index, score, logit, cosine } of predictions) {
    writer.varint(index);
    writer.float32(score);
    if (withLogit) writer.float32(logit!);
    if (withCosine) writer.float32(cosine!);
  }
}

/** What a row counts as: `classified` or `failed:CODE`. */
export function statusOf(row: Row): string {
  return row.status === 'classified' ? row.status : `failed:${row.error.code}`;
}

/** Generation and place of a row. */
export function readHead(stored: Buffer): FoundRow {
  const reader = new RowReader(stored);
  const rank = reader.uint16();
  reader.uint32();
  if (rank % 2 === 0) reader.text();
  return { generation: rank >>> 1, place: { chunk: reader.varint(), index: reader.varint() } };
}

/** What `read` makes of a row; undefined for what is no row, which somebody else must have put there. */
export function unlessNone<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}

/** The fingerprints of a bucket by their number, from the hash that has the numbers by fingerprint. */
export function byNumber(numbers: Record<string, string>): string[] {
  const fingerprints: string[] = [];
  for (const [fingerprint, number] of Object.entries(numbers)) fingerprints[Number(number)] = fingerprint;
  return fingerprints;
}

/**
 * @param fingerprints those of the bucket, by number
 * @throws RangeError for what is no row
 */
export function decodeRow(id: string, stored: Buffer, fingerprints: readonly string[]): Row {
  const reader = new RowReader(stored);
  const rank = reader.uint16();
  const at = reader.uint32();
  const code = (rank & 1) === 0 ? (reader.text() as ErrorCode) : undefined;
  const place = { chunk: reader.varint(), index: reader.varint() };
  const uriLength = reader.varint();
  const uri = uriLength === 0 ? id : reader.text(uriLength - 1);
  const base = { id, uri, generation: rank >>> 1, place, at };
  if (code !== undefined) return { ...base, status: 'failed', error: { code, message: reader.text() } };
  const fingerprint = fingerprints[reader.varint()];
  if (fingerprint === undefined)
    throw new RangeError('The row names a fingerprint that its bucket does not have.');
  return { ...base, status: 'classified', predictions: readPredictions(reader), fingerprint };
}

function readPredictions(reader: RowReader): RankedLabel[] {
  const head = reader.varint();
  const [count, outputs] = [head >>> 2, head & 3];
  const predictions: RankedLabel[] = [];
  for (let i = 0; i < count; i++) {
    const prediction: RankedLabel = { index: reader.varint(), score: reader.float32() };
    if (outputs & WITH_LOGIT) prediction.logit = reader.float32();
    if (outputs & WITH_COSINE) prediction.cosine = reader.float32();
    predictions.push(prediction);
  }
  return predictions;
}
