import type { Redis } from 'ioredis';
import { ClipfleetError } from '../errors.ts';
import type { Keys } from '../redis/keys.ts';
import { parseIdentity } from './modelIdentity.ts';
import { listServedNow } from './models.ts';

/**
 * The identity of the model that a request means: as it is where it is an identity, else that of the only model of this name, or of the
 * only model at all, that workers serve now.
 *
 * @throws MODEL_NOT_FOUND where none or several are meant
 */
export async function chooseModel(redis: Redis, keys: Keys, model: string | undefined): Promise<string> {
  if (model !== undefined && parseIdentity(model)) return model;
  const served = await listServedNow(redis, keys);
  const meant = served.filter((identity) => model === undefined || parseIdentity(identity)?.name === model);
  if (meant.length === 1) return meant[0]!;
  const asked = model === undefined ? 'a model that workers serve now' : `a worker that serves ${model} now`;
  const got = meant.length === 0 ? 'found none: start one' : `found several: name one of ${meant.join(', ')}`;
  throw new ClipfleetError('MODEL_NOT_FOUND', `Expected ${asked}, ${got}.`);
}
