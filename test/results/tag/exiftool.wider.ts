// Sidecars as Debian's exiftool reads them.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { withKeywords } from '../../../src/results/tag/xmpSidecar.ts';
import { temporaryFolder } from '../../support/support.ts';
import { neededProgram } from '../../support/wider.ts';

async function readBack(path: string): Promise<Record<string, unknown>> {
  const { stdout } = await promisify(execFile)(neededProgram('exiftool'), [
    '-json',
    '-struct',
    '-XMP:all',
    path,
  ]);
  return (JSON.parse(stdout) as Record<string, unknown>[])[0]!;
}

test('exiftool reads the keywords of a new sidecar, and writes one that is merged', async (t) => {
  const path = join(await temporaryFolder(t), 'photo.jpg.xmp');
  const labels = ['owl & <co>', 'animal/bird', '日本'];
  await writeFile(path, withKeywords(undefined, labels)!.text);
  const { Subject, HierarchicalSubject, TagsList } = await readBack(path);
  assert.deepEqual(
    [Subject, HierarchicalSubject, TagsList],
    [labels, ['owl & <co>', 'animal|bird', '日本'], labels],
  );

  const theirs = join(await temporaryFolder(t), 'theirs.xmp');
  const write = ['-XMP-dc:Subject=lake', '-XMP-xmp:Rating=4', '-XMP-dc:Title=Grey', theirs];
  await promisify(execFile)(neededProgram('exiftool'), write);
  const text = await readFile(theirs, 'utf8');
  await writeFile(theirs, withKeywords(text, ['owl'])!.text);
  const merged = await readBack(theirs);
  assert.deepEqual([merged.Subject, merged.Rating, merged.Title], [['lake', 'owl'], 4, 'Grey']);
});
