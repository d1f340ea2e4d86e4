import type { Redis } from 'ioredis';
import { jsonIn } from '../jsonIn.ts';
import type { Keys } from '../redis/keys.ts';
import { readingKey } from '../redis/wrongType.ts';
import { DEFAULT_DTYPE, parseIdentity } from './modelIdentity.ts';
import { listServing, type ServingWorker } from './servingWorkers.ts';

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
  await readingKey(keys.models(), () => redis.hset(keys.models(), identity, JSON.stringify(model)));
}

function readModels(redis: Redis, keys: Keys): Promise<Record<string, string>> {
  return readingKey(keys.models(), () => redis.hgetall(keys.models()));
}

/**
 * The identities under which workers have served a model of the Hub, by its name, the one a worker started with last first. A
 * revision other than `main` must be the one served.
 */
async function servedIdentities(
  redis: Redis,
  keys: Keys,
  { model, revision, dtype = DEFAULT_DTYPE }: ModelName,
): Promise<string[]> {
  const served = Object.entries(await readModels(redis, keys)).filter(([text]) => {
    const identity = parseIdentity(text);
    const sameRevision = revision === 'main' || identity?.revision === revision;
    return identity?.name === model && identity.dtype === dtype && sameRevision;
  });
  const startedAt = ([, about]: [string, string]) =>
    (jsonIn(about) as Partial<ServedModel> | undefined)?.at ?? '';
  return served.sort((a, b) => (startedAt(a) < startedAt(b) ? 1 : -1)).map(([identity]) => identity);
}

interface ModelName {
  model: string;
  revision: string;
  /** As `--dtype`. */
  dtype?: string | undefined;
}

/** The identity a worker started with last, also where none serves it now: jobs may wait for the next. */
export async function servedIdentity(
  redis: Redis,
  keys: Keys,
  model: ModelName,
): Promise<string | undefined> {
  return (await servedIdentities(redis, keys, model))[0];
}

/** The identity that a worker serves now. */
export async function servedNow(redis: Redis, keys: Keys, model: ModelName): Promise<string | undefined> {
  for (const identity of await servedIdentities(redis, keys, model))
    if ((await listServing(redis, keys, identity)).length > 0) return identity;
  return undefined;
}

/** A model that workers have served, with those that serve it now. */
export interface ListedModel extends ServedModel {
  /** Its identity, `name@revision:dtype`. */
  model: string;
  workers: ServingWorker[];
}

/** Every model that workers have served on this Redis, by identity. What somebody else wrote among them is left out. */
export async function listModels(redis: Redis, keys: Keys): Promise<ListedModel[]> {
  const models = Object.entries(await readModels(redis, keys)).sort(([a], [b]) => (a < b ? -1 : 1));
  const listed = models.map(async ([model, text]) => {
    const about = jsonIn(text) as ServedModel | null | undefined;
    if (typeof about?.fingerprint !== 'string') return [];
    return [{ model, ...about, workers: await listServing(redis, keys, model) }];
  });
  return (await Promise.all(listed)).flat();
}

/** The identities that workers serve now. */
export async function listServedNow(redis: Redis, keys: Keys): Promise<string[]> {
  const models = await listModels(redis, keys);
  return models.filter(({ workers }) => workers.length > 0).map(({ model }) => model);
}
