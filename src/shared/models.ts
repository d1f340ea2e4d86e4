import type { Redis } from 'ioredis';
import { ClipfleetError } from './errors.ts';
import type { Keys } from './keys.ts';
import { parseIdentity } from './modelIdentity.ts';

/** What workers said of the models they serve: how a producer without the model's files learns its identity. */
export interface ServedModel {
  fingerprint: string;
  /** Key in the names of the model's lanes. */
  key: string;
  /** ISO 8601; when a worker last started with it. */
  at: string;
}

export async function registerModel(
  redis: Redis,
  keys: Keys,
  identity: string,
  model: ServedModel,
): Promise<void> {
  await redis.hset(keys.models(), identity, JSON.stringify(model));
}

/**
 * The identity of the model that goes by a name, among those workers have served.
 *
 * @throws MODEL_NOT_FOUND when none does, or several do
 */
export async function servedIdentity(redis: Redis, keys: Keys, name: string): Promise<string> {
  const served = await redis.hkeys(keys.models());
  const matching = served.filter((identity) => parseIdentity(identity)?.name === name);
  if (matching.length === 1) return matching[0]!;
  const found =
    matching.length > 1 ? `several: ${matching.join(', ')}` : `only ${served.join(', ') || 'none'}`;
  throw new ClipfleetError(
    'MODEL_NOT_FOUND',
    `Expected a model directory, or the name of a model that a worker on this Redis serves, got '${name}'; served: ${found}. ` +
      'Give its identity, name@revision:dtype, as the worker prints it when it starts.',
  );
}
