import type { Redis } from 'ioredis';
import { ClipfleetError } from '../errors.ts';
import type { Keys } from '../redis/keys.ts';
import { canonicalLabelSet, type LabelSet, labelSetId, parseLabelSet } from './labelSet.ts';

/**
 * Stores the label set under its id, once; the same set again changes nothing but how long it stays. Resolves to the id.
 *
 * @param expireAfterMs it may go then, unless somebody stores it for longer; it stays when absent
 */
export async function storeLabelSet(
  redis: Redis,
  keys: Keys,
  labelSet: LabelSet,
  expireAfterMs?: number,
): Promise<string> {
  const id = labelSetId(labelSet);
  const key = keys.labelSet(id);
  const json = canonicalLabelSet(labelSet);
  if (expireAfterMs === undefined) await redis.set(key, json);
  else await redis.eval(lendScript, 1, key, json, expireAfterMs);
  return id;
}

/** KEYS: a label set. ARGV: it as JSON, and for how many milliseconds it is needed. */
const lendScript = `
local left = redis.call('PTTL', KEYS[1])
if left == -2 then redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
elseif left >= 0 and left < tonumber(ARGV[2]) then redis.call('PEXPIRE', KEYS[1], ARGV[2]) end`;

/** @throws LABEL_SET_UNKNOWN where none is stored under the id, LABEL_SET_INVALID where it is another one */
export async function readLabelSet(redis: Redis, keys: Keys, id: string): Promise<LabelSet> {
  const json = await redis.get(keys.labelSet(id));
  if (json !== null) return parseLabelSet(json, id);
  throw new ClipfleetError(
    'LABEL_SET_UNKNOWN',
    `Expected a label set under ${keys.labelSet(id)}, got none: store it before opening runs that name it.`,
  );
}
