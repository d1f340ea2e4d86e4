import assert from 'node:assert/strict';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { replaceFile } from '../../../src/shared/files/replaceFile.ts';
import { temporaryFolder } from '../../support/support.ts';

test('a file is new or old, never a half, and nothing is left beside it', async (t) => {
  const folder = join(await temporaryFolder(t), 'new/folder');
  const path = join(folder, 'settings.json');
  await replaceFile(path, (part) => writeFile(part, 'old'));
  await replaceFile(path, async (part) => {
    await writeFile(part, 'new');
    assert.equal(await readFile(path, 'utf8'), 'old', 'until it is whole');
  });
  assert.equal(await readFile(path, 'utf8'), 'new');
  const broken = replaceFile(path, async (part) => {
    await writeFile(part, 'half');
    throw new Error('the disk is full');
  });
  await assert.rejects(broken, /the disk is full/);
  assert.deepEqual([await readFile(path, 'utf8'), await readdir(folder)], ['new', ['settings.json']]);
});

test('of two that write a folder the first to end wins', async (t) => {
  const folder = await temporaryFolder(t);
  const path = join(folder, 'graph');
  const write = (content: string) =>
    replaceFile(path, async (part) => {
      await mkdir(part);
      await writeFile(join(part, 'model.onnx'), content);
    });
  await write('first');
  await assert.rejects(write('second'), { code: /^(ENOTEMPTY|EEXIST|EPERM)$/ });
  assert.equal(await readFile(join(path, 'model.onnx'), 'utf8'), 'first');
  assert.deepEqual(await readdir(folder), ['graph']);
});
