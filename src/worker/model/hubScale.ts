import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ClipfleetError } from '../../shared/errors.ts';
import { replaceFile } from '../../shared/files/replaceFile.ts';
import type { ReadRange } from '../checkpoint/safetensors.ts';
import { type HubOptions, hubCommit } from '../hub/hub.ts';
import { hubFileRange } from '../hub/hubApi.ts';
import type { HubAccess } from '../hub/hubRequest.ts';
import type { Scale } from '../score/rank.ts';

/**
 * The scale in a checkpoint on the Hub, read by ranges: some 100 KB of a file of gigabytes. Kept on disk, also that the
 * model's own repository has none, so that a model that was used once can be used again without the Hub.
 *
 * Undefined where the repository has no such checkpoint.
 *
 * @param cacheDir the folder of `--cache-dir`
 */
export async function readHubScale(
  repository: string,
  hub: { name: string; commit: string },
  access: HubAccess & Pick<HubOptions, 'cacheDir'>,
  cacheDir: string,
  use: (read: ReadRange) => Promise<Scale | undefined>,
): Promise<Scale | undefined> {
  const kept = keptPath(cacheDir, repository, hub.commit);
  const known = await readFile(kept, 'utf8').then(
    (text) => JSON.parse(text) as Scale | null,
    () => undefined,
  );
  if (known !== undefined) return known ?? undefined;
  const own = repository === hub.name;
  const options = { ...access, revision: 'main', dtype: 'fp32' as const };
  const ask = async () => {
    const commit = own ? hub.commit : await hubCommit(repository, options);
    return use((start, length) =>
      hubFileRange(repository, commit, 'model.safetensors', start, start + length - 1, access),
    );
  };
  const scale = await ask().catch((error: unknown) => {
    if (error instanceof ClipfleetError && error.code === 'MODEL_NOT_FOUND') return undefined;
    throw error;
  });
  // What a commit lacks it will always lack; another repository may still get it.
  if (scale || own) await keep(kept, scale ?? null);
  return scale;
}

function keptPath(cacheDir: string, repository: string, commit: string): string {
  return join(cacheDir, 'scales', `${repository.replace('/', '--')}@${commit}.json`);
}

/** A cache that cannot be written costs a request the next time, nothing else. */
async function keep(path: string, scale: Scale | null): Promise<void> {
  await replaceFile(path, (part) => writeFile(part, JSON.stringify(scale))).catch(() => {});
}
