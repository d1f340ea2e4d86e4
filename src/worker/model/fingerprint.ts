import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import { ClipfleetError } from '../../shared/errors.ts';

/**
 * SHA-256 over settings and over each file that counts, by its name in the model: the same wherever the model lies.
 *
 * @param settings what changes embeddings and is in no file
 * @param files name to path
 * @throws MODEL_INVALID for a file that cannot be read
 */
export async function fingerprintOf(settings: unknown, files: ReadonlyMap<string, string>): Promise<string> {
  const hash = createHash('sha256');
  hash.update(JSON.stringify(settings));
  for (const name of [...files.keys()].sort()) {
    hash.update(`${name} ${await sha256Of(files.get(name)!)}\n`);
  }
  return hash.digest('hex');
}

async function sha256Of(path: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(path, { highWaterMark: 1024 * 1024 }), hash).catch((error: Error) => {
    throw new ClipfleetError('MODEL_INVALID', `Expected a readable ${path}, got: ${error.message}.`, {
      cause: error,
    });
  });
  return hash.digest('hex');
}
