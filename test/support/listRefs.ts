import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { type OpenSourceOptions, openSource } from '../../src/openSource.ts';
import { trustedAddress } from '../../src/producer/sources/address.ts';
import { type ImageRef, imageRefSchema } from '../../src/shared/refs/imageRef.ts';
import { temporaryFolder } from './support.ts';

/** The refs of a list of this name and content, as `[id, uri]`; uris below the list's folder without it. */
export async function refsOfList(
  t: TestContext,
  name: string,
  content: string | Buffer,
  changes: OpenSourceOptions = {},
): Promise<string[][]> {
  const cwd = await temporaryFolder(t);
  await mkdir(join(cwd, 'lists'));
  await writeFile(join(cwd, 'lists', name), content);
  const refs = await sourceRefsOf([`lists/${name}`], { cwd, address: trustedAddress, ...changes });
  return refs.map(({ id, uri }) => [id, uri.replace(`file://${cwd}/lists/`, 'here:')]);
}

/** All refs of what was typed, each as the wire format has it. */
export async function sourceRefsOf(typed: string[], options: OpenSourceOptions): Promise<ImageRef[]> {
  const refs: ImageRef[] = [];
  for await (const ref of openSource(typed, options)) refs.push(imageRefSchema.parse(ref));
  return refs;
}
