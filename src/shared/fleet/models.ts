import type { Redis } from 'ioredis';
import type { Keys } from '../redis/keys.ts';
import { parseIdentity } from './modelIdentity.ts';

/** What workers said of the models they serve: how a producer without the model's files learns its identity. */
export interface ServedModel {
  fingerprint: string;
  /** Key in the names of the model's lanes. */
  key: string;
  logitScale: number;
  logitBias: number;
  /** Where scale and bias were found. */
  scaleSource: string;
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
 * The identity under which workers serve a model of the Hub, by its name: of several, the one a worker started with last.
 * Undefined where none does. A revision other than `main` must be the one served.
 */
export async function servedIdentity(
  redis: Redis,
  keys: Keys,
  { model, revision, dtype }: { model: string; revision: string; dtype: string },
): Promise<string | undefined> {
  const served = Object.entries(await redis.hgetall(keys.models())).filter(([text]) => {
    const identity = parseIdentity(text);
    const sameRevision = revision === 'main' || identity?.revision === revision;
    return identity?.name === model && identity.dtype === dtype && sameRevision;
  });
  const startedAt = ([, about]: [string, string]) => (JSON.parse(about) as ServedModel).at;
  return served.sort((a, b) => (startedAt(a) < startedAt(b) ? 1 : -1))[0]?.[0];
}
