import type { Row } from './row.ts';
import { bucketOf } from './rowBucket.ts';

/** Rows of one bucket, those that are classified by one model. */
export interface Part {
  bucket: number;
  /** Empty for failed rows, which have none. */
  fingerprint: string;
  rows: Row[];
}

export function partsOf(rows: readonly Row[]): Part[] {
  const fingerprintOf = (row: Row) => (row.status === 'classified' ? row.fingerprint : '');
  return [...groupBy(rows, (row) => bucketOf(row.id))].flatMap(([bucket, members]) =>
    [...groupBy(members, fingerprintOf)].map(([fingerprint, rows]) => ({ bucket, fingerprint, rows })),
  );
}

export function groupBy<T, K>(items: readonly T[], keyOf: (item: T) => K): Map<K, T[]> {
  const groups = new Map<K, T[]>();
  for (const item of items) {
    const key = keyOf(item);
    const group = groups.get(key);
    if (group) group.push(item);
    else groups.set(key, [item]);
  }
  return groups;
}
