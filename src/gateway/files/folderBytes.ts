import { readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';

/** What is written within an hour is being written, or goes on. Batches that are under way write more often, or end. */
const PART_KEPT_MS = 3_600_000;
/** Longer than any batch. */
const FOLDER_KEPT_MS = 8 * 24 * 3_600_000;

/** Bytes of all files below a folder; 0 where it is not there. */
export async function bytesBelow(folder: string): Promise<number> {
  let bytes = 0;
  for (const entry of await readdir(folder, { withFileTypes: true }).catch(() => [])) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) bytes += await bytesBelow(path);
    // Another gateway may remove it meanwhile.
    else bytes += (await stat(path).catch(() => undefined))?.size ?? 0;
  }
  return bytes;
}

/** Removes what nobody goes on with: parts of files, contents that nothing was said of, folders of batches that are no more. */
export async function removeStale(
  folder: string,
  now: number,
  isContent: (name: string) => boolean,
): Promise<void> {
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => []);
  const names = new Set(entries.map(({ name }) => name));
  for (const entry of entries) {
    const { name } = entry;
    const isLone = isContent(name) && !names.has(name.replace(/\.jsonl$/, '.json'));
    const isStale = name.endsWith('.part') || isLone;
    if (!isStale && !entry.isDirectory()) continue;
    const path = join(folder, name);
    const at = (await stat(path).catch(() => undefined))?.mtimeMs ?? now;
    if (now - at > (entry.isDirectory() ? FOLDER_KEPT_MS : PART_KEPT_MS))
      await rm(path, { recursive: true, force: true });
  }
}
