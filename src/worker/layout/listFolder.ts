import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { layoutFolders } from './modelLayout.ts';

/** Paths of the files that a directory has where parts of models lie, with slashes. Links that lead nowhere are left out. */
export async function listFolder(dir: string): Promise<string[]> {
  const found: string[] = [];
  for (const folder of layoutFolders) {
    const names = await readdir(join(dir, folder)).catch(() => []);
    for (const name of names) {
      const file = await stat(join(dir, folder, name)).catch(() => undefined);
      if (file?.isFile()) found.push(folder + name);
    }
  }
  return found;
}
