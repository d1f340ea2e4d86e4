import type { Redis } from 'ioredis';
import { ClipfleetError } from '../errors.ts';
import type { Keys } from '../redis/keys.ts';
import { canonicalLabelSet, type LabelSet, labelSetId, parseLabelSet } from './labelSet.ts';

/** Stores the label set under its id, once; the same set again changes nothing. Resolves to the id. */
export async function storeLabelSet(redis: Redis, keys: Keys, labelSet: LabelSet): Promise<string> {
  const id = labelSetId(labelSet);
  await redis.set(keys.labelSet(id), canonicalLabelSet(labelSet), 'NX');
  return id;
}

/** @throws LABEL_SET_UNKNOWN where none is stored under the id, LABEL_SET_INVALID where it is another one */
export async function readLabelSet(redis: Redis, keys: Keys, id: string): Promise<LabelSet> {
  const json = await redis.get(keys.labelSet(id));
  if (json !== null) return parseLabelSet(json, id);
  throw new ClipfleetError(
    'LABEL_SET_UNKNOWN',
    `Expected a label set under ${keys.labelSet(id)}, got none: store it before opening runs that name it.`,
  );
}
