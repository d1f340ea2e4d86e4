import { createHash } from 'node:crypto';

/** An index holds keys of up to 2,704 bytes (PostgreSQL's BTMaxItemSize), the run's number and heads among them. */
const ID_BYTES_MAX = 2_000;

/** An id as a key: itself, or its hash with the id beside it as JSON. */
export interface StoredId {
  id: string;
  wholeId: string | null;
}

/** PostgreSQL takes no character 0 in a text, and no long key. */
export function storedId(id: string): StoredId {
  // A unit of UTF-16 is at most three bytes.
  const fits = 3 * id.length <= ID_BYTES_MAX || Buffer.byteLength(id) <= ID_BYTES_MAX;
  if (fits && !id.includes('\0')) return { id, wholeId: null };
  const hash = createHash('sha256').update(id).digest('hex');
  return { id: `sha256:${hash}`, wholeId: JSON.stringify(id) };
}

export function readId({ id, wholeId }: StoredId): string {
  return wholeId === null ? id : (JSON.parse(wholeId) as string);
}

/** A text that PostgreSQL takes: a character 0 is written as its symbol. No path, URL or label has one. */
export function storable(text: string): string {
  return text.includes('\0') ? text.replaceAll('\0', '\u2400') : text;
}
