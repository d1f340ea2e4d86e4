import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import fastGlob from 'fast-glob';
import { repository } from './fleet.ts';
import type { SourceFile } from './importGraph.ts';

/** The repository's files that match, in the order of their paths. */
export async function filesOf(pattern: string): Promise<SourceFile[]> {
  const paths = await fastGlob(pattern, {
    cwd: repository,
    dot: true,
    ignore: ['**/node_modules', 'dist', '.git', '.venv', '.clipfleet', 'models/**/tokenizer.json'],
  });
  assert.ok(paths.length > 0, `no file matches ${pattern}`);
  const read = async (path: string) => ({ path, text: await readFile(join(repository, path), 'utf8') });
  return Promise.all(paths.sort().map(read));
}
