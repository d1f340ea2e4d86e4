import assert from 'node:assert/strict';
import { copyFile, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import sharp from 'sharp';
import { demoModel, type Fleet, jsonLines, pictures, repository, startFleet } from '../../support/fleet.ts';

const labels = ['--labels', 'fox,bear,owl', '--score-function', 'cosine', '--model', demoModel];

/** The one row of a run over the picture, and the model's name. */
async function labelOne(fleet: Fleet, picture: string, ...more: string[]) {
  const { stdout, stderr } = await fleet.run('label', picture, ...labels, '--output', '-', ...more);
  const [line] = jsonLines<{ run: string; model: string }>(stdout);
  assert.ok(line, stderr);
  const [row] = await fleet.rows(line.run);
  return { row: row!, model: line.model };
}

/** Fingerprint and scores of a picture that is classified. */
async function answer(fleet: Fleet, picture: string, ...more: string[]) {
  const { row, model } = await labelOne(fleet, picture, ...more);
  assert.ok(row.status === 'classified', JSON.stringify(row));
  return { model, fingerprint: row.fingerprint, predictions: row.predictions };
}

test('a truncated image fails, or is taken for what is there when asked', async (t) => {
  const fleet = await startFleet(t);
  const whole = await readFile(join(pictures, 'fox.jpg'));
  await writeFile(join(fleet.folder, 'half.jpg'), whole.subarray(0, whole.length * 0.7));
  const { row } = await labelOne(fleet, 'half.jpg');
  assert.equal(row.status === 'failed' && row.error.code, 'IMAGE_CORRUPT');
  const accepted = await answer(fleet, 'half.jpg', '--truncated', 'accept');
  assert.equal(accepted.predictions[0]?.index, 0, 'the first of the labels: fox');
});

test('a turned image is turned upright, or left as it lies when asked', async (t) => {
  const fleet = await startFleet(t);
  await copyFile(join(repository, 'test/golden/images/orientation-6.jpg'), join(fleet.folder, 'turned.jpg'));
  const byDefault = await answer(fleet, 'turned.jpg');
  assert.deepEqual(await answer(fleet, 'turned.jpg', '--exif', 'apply'), byDefault);
  const ignored = await answer(fleet, 'turned.jpg', '--exif', 'ignore');
  assert.notDeepEqual(ignored.predictions, byDefault.predictions);
  await sharp(join(fleet.folder, 'turned.jpg')).png().toFile(join(fleet.folder, 'untold.png'));
  const untold = await answer(fleet, 'untold.png');
  assert.deepEqual(ignored.predictions, untold.predictions, 'as the same pixels without an orientation');
  assert.notEqual(ignored.fingerprint, byDefault.fingerprint);
  assert.notEqual(ignored.model, byDefault.model);
});

test('a crop that begins at half a pixel is rounded down, or to even when asked', async (t) => {
  const fleet = await startFleet(t);
  // 3 pixels more than the model's 64: the crop begins at 1.5, which is 1 by the floor and 2 to even.
  await sharp(join(pictures, 'owl.jpg'))
    .resize(67, 64, { fit: 'fill' })
    .png()
    .toFile(join(fleet.folder, 'odd.png'));
  const byDefault = await answer(fleet, 'odd.png');
  assert.deepEqual(await answer(fleet, 'odd.png', '--crop-rounding', 'floor'), byDefault);
  const toEven = await answer(fleet, 'odd.png', '--crop-rounding', 'half-even');
  assert.notDeepEqual(toEven.predictions, byDefault.predictions);
  assert.notEqual(toEven.fingerprint, byDefault.fingerprint);
  assert.notEqual(toEven.model, byDefault.model);
});

test('enqueue names the model as a worker with the same options serves it', async (t) => {
  const fleet = await startFleet(t);
  await mkdir(join(fleet.folder, 'one'));
  await copyFile(join(pictures, 'owl.jpg'), join(fleet.folder, 'one/owl.jpg'));
  const options = ['--exif', 'ignore', '--crop-rounding', 'half-even'];
  const { stdout, stderr } = await fleet.run('enqueue', 'one', ...labels, ...options);
  const run = await fleet.producer.runs.get(stdout.trim());
  assert.equal(run?.model, (await answer(fleet, 'one', ...options)).model, stderr);
});
