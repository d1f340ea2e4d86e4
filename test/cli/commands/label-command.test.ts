import assert from 'node:assert/strict';
import { copyFile, mkdir, open, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { demoModel, type Fleet, jsonLines, pictures, startFleet } from '../../support/fleet.ts';

interface Line {
  run: string;
  id: string;
  uri: string;
  status: string;
  predictions?: { label: string; score: number }[];
  error?: { code: string; message: string };
  model: string;
  labelSet: string;
}

/** A folder with good images, one that breaks off, one that is no image, and an empty one. */
async function mixedFolder({ folder }: Fleet): Promise<void> {
  const mixed = join(folder, 'mixed');
  await mkdir(mixed);
  for (const name of ['owl.jpg', 'cat.webp', 'bear.png'])
    await copyFile(join(pictures, name), join(mixed, name));
  const whole = await readFile(join(pictures, 'fox.jpg'));
  await writeFile(join(mixed, 'truncated.jpg'), whole.subarray(0, whole.length / 2));
  await writeFile(join(mixed, 'text.jpg'), 'not an image');
  await (await open(join(mixed, 'empty.png'), 'w')).close();
  await writeFile(join(mixed, 'notes.txt'), 'no image name, so not listed');
}

test('a folder of good and bad files ends with one row each, and exit code 2', async (t) => {
  const fleet = await startFleet(t);
  await mixedFolder(fleet);
  const args = ['--labels', 'fox,bear,owl,cat', '--model', demoModel, '--output', 'rows.jsonl'];
  const { code, stdout, stderr } = await fleet.run('label', 'mixed', ...args);
  assert.equal(code, 2);
  assert.match(stderr, /^left out so far: 1 \(1 txt\)\n(.*\n)*left out: 1 \(1 txt\)\n/, 'at both ends');
  const lines = jsonLines<Line>(await readFile(join(fleet.folder, 'rows.jsonl'), 'utf8'));
  assert.deepEqual(
    lines.map(({ id, predictions, error }) => [id, predictions?.[0]?.label ?? error?.code]),
    [
      ['mixed/bear.png', 'bear'],
      ['mixed/cat.webp', 'cat'],
      ['mixed/empty.png', 'IMAGE_EMPTY'],
      ['mixed/owl.jpg', 'owl'],
      ['mixed/text.jpg', 'IMAGE_UNSUPPORTED'],
      ['mixed/truncated.jpg', 'IMAGE_CORRUPT'],
    ],
  );
  assert.match(stdout, /owl\.jpg +owl 0\.\d+/);
  assert.match(stdout, /truncated\.jpg +IMAGE_CORRUPT/);
});

test('rows go to standard output clean, best first, in the shape of the pipeline', async (t) => {
  const fleet = await startFleet(t);
  const owl = join(pictures, 'owl.jpg');
  const args = ['--labels', 'fox,bear,seagull,owl', '--top-k', '2', '--model', demoModel, '--output', '-'];
  const { code, stdout, stderr } = await fleet.run('label', owl, '--run', 'one', ...args);
  assert.equal(code, 0, stderr);
  const [line, ...rest] = jsonLines<Line>(stdout);
  assert.equal(rest.length, 0);
  assert.deepEqual(Object.keys(line!).slice(0, 5), ['run', 'id', 'uri', 'status', 'predictions']);
  assert.equal(line?.run, 'one');
  assert.match(line.model, /^demo@[0-9a-f]{12}:fp32$/);
  assert.deepEqual(
    line.predictions?.map(({ label }) => label),
    ['owl', 'bear'],
  );
  assert.ok(line.predictions[0]!.score > line.predictions[1]!.score);
  assert.match(stderr, /owl\.jpg +owl/, 'the table gives way to standard error');
});

test('labels with $& and {} come through unharmed', async (t) => {
  const fleet = await startFleet(t);
  const labels = ['a $& b', '{}', 'フクロウ', '🦉'];
  const args = ['--labels', labels.join(','), '--model', demoModel, '--output', '-'];
  const { stdout } = await fleet.run('label', join(pictures, 'owl.jpg'), ...args);
  const [line] = jsonLines<Line>(stdout);
  assert.deepEqual(line?.predictions?.map(({ label }) => label).sort(), labels.sort());
});

test('what cannot run says why, all at once, and exits with 1', async (t) => {
  const fleet = await startFleet(t);
  const wrong = await fleet.run('label', 'x', '--labels', 'a', '--top-k', '0', '--batch-size', 'many');
  assert.equal(wrong.code, 1);
  assert.match(wrong.stderr, /--top-k/);
  assert.match(wrong.stderr, /--batch-size/);
  const absent = await fleet.run('label', 'no-such-folder', '--labels', 'a,b');
  assert.equal(absent.code, 1);
  assert.match(absent.stderr, /USAGE: no-such-folder/);
  const noModel = await fleet.run('label', pictures, '--labels', 'a,b', '--model', './no-model');
  assert.equal(noModel.code, 1);
  assert.match(noModel.stderr, /MODEL_NOT_FOUND/);
  for (const { stdout } of [wrong, absent, noModel]) assert.equal(stdout, '');
});
