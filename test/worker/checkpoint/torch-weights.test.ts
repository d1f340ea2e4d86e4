// Weights as PyTorch saves them: the same towers as from safetensors, and nothing that is run.
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { buildTowers } from '../../../src/worker/checkpoint/buildTowers.ts';
import { readCheckpoint } from '../../../src/worker/checkpoint/checkpointWeights.ts';
import { readPickle } from '../../../src/worker/checkpoint/pickle.ts';
import { findScale } from '../../../src/worker/model/findScale.ts';
import { readModelFiles } from '../../../src/worker/model/model.ts';
import { openDevice } from '../../../src/worker/session/devices.ts';
import { embedImages, embedTexts, filesOf } from '../../support/checkpointEmbeddings.ts';
import { checkpointFolder, checkpointModel, readCheckpointGolden } from '../../support/checkpointGoldens.ts';
import { largestDifference } from '../../support/goldens.ts';
import { temporaryFolder } from '../../support/support.ts';

const cpu = await openDevice('cpu');

const saved = (name: string) => join(checkpointFolder, 'torch', `${name}.bin`);

const cases: [checkpoint: string, files: string[]][] = [
  ['clip-end-by-id', ['clip-end-by-id']],
  ['siglip-bf16', ['siglip-bf16-1', 'siglip-bf16-2']],
  ['siglip-f16', ['siglip-f16-unpadded']],
];

for (const [name, files] of cases) {
  test(`${files.join(' and ')}: embeddings are those of transformers`, async () => {
    const golden = await readCheckpointGolden(name);
    const { vision, text } = await buildTowers(filesOf({ ...golden, weights: files.map(saved) }));
    const images = largestDifference(await embedImages(vision, golden, cpu), golden.images);
    const texts = largestDifference(await embedTexts(text, golden, cpu), golden.texts);
    assert.ok(Math.max(images, texts) < 1e-5, `images are off by ${images}, texts by ${texts}`);
    assert.ok(vision.graph.length < 90_000, 'weights stay in their file');
  });
}

const nowhere = {
  dir: 'no-such-folder',
  name: undefined,
  exportedFrom: undefined,
  scoreFunction: 'softmax',
  given: {},
  readHub: undefined,
  joint: undefined,
  downloadJoint: undefined,
} as const;

/** A file that is not a state dict's, refused by its name. */
async function assertRefused(file: string, message: RegExp): Promise<void> {
  await assert.rejects(readCheckpoint([file]), (error: Error & { code?: string }) => {
    assert.equal(error.code, 'MODEL_INVALID');
    assert.match(error.message, message);
    assert.ok(error.message.includes(file), error.message);
    return true;
  });
}

/** A copy of a file with some bytes in place of others of the same length. */
async function changed(t: TestContext, name: string, from: string, to: string): Promise<string> {
  const bytes = await readFile(saved(name));
  const at = bytes.indexOf(from, 0, 'latin1');
  assert.ok(at >= 0 && from.length === to.length);
  bytes.write(to, at, 'latin1');
  const path = join(await temporaryFolder(t), 'pytorch_model.bin');
  await writeFile(path, bytes);
  return path;
}

test('a pickle that would run something is refused, and nothing is run', async () => {
  await assertRefused(saved('calls'), /wants to call posix system.*Nothing of it was run/);
  assert.equal(existsSync('clipfleet-was-run'), false);
});

test('what is no state dict is refused by its file, with what it is', async (t) => {
  await assertRefused(saved('before-1.6'), /no zip: it was saved before PyTorch 1\.6/);
  const whole = await readFile(saved('clip-end-by-id'));
  const cut = join(await temporaryFolder(t), 'pytorch_model.bin');
  await writeFile(cut, whole.subarray(0, 20_000));
  await assertRefused(cut, /no zip: .*cut off/);
  // The directory without the numbers before it.
  await writeFile(cut, whole.subarray(20_000));
  await assertRefused(cut, /a zip (that breaks off|with a broken directory)/);
  await assertRefused(
    await changed(t, 'clip-end-by-id', 'FloatStorage', 'ComplexStore'),
    /numbers are not in the file/,
  );
  await assertRefused(await changed(t, 'clip-end-by-id', 'little', 'bigger'), /byte order bigger/);
});

test('a pickle that breaks off, or whose stack is empty, ends with an error', async () => {
  const pickle =
    (...bytes: number[]) =>
    () =>
      readPickle(Buffer.from(bytes));
  const [proto, dictionary, mark, tuple, put, get, text, stop] = [
    0x80, 0x7d, 0x28, 0x74, 0x71, 0x68, 0x58, 0x2e,
  ];
  for (const [run, message] of [
    [pickle(proto!, 2, dictionary!), /breaks off/],
    [pickle(stop!), /stack is empty/],
    [pickle(put!, 0), /stack is empty/],
    [pickle(get!, 7), /recalls 7/],
    [pickle(tuple!), /without a mark/],
    [pickle(mark!, 0x75), /stack is empty/],
    [pickle(text!, 255, 255, 255, 255), /breaks off/],
    [pickle(0x69, stop!), /step 0x69/],
    [pickle(dictionary!, dictionary!, 0x52), /wants to call/],
  ] as const) {
    assert.throws(run, { name: 'RangeError', message });
  }
  assert.deepEqual(readPickle(Buffer.from([proto!, 2, 0x8a, 2, 0xff, 0xff, stop!])), -1);
});

test('a directory with pytorch_model.bin alone is a model, with the scale from there', async (t) => {
  const dir = await checkpointModel(t, 'clip');
  const { fingerprint } = await readModelFiles({ dir });
  await writeFile(join(dir, 'pytorch_model.bin'), await readFile(saved('clip-end-by-id')));
  assert.equal((await readModelFiles({ dir })).fingerprint, fingerprint, 'safetensors go first');
  const golden = await readCheckpointGolden('clip-end-by-id');
  const own = await temporaryFolder(t);
  for (const name of ['tokenizer.json', 'tokenizer_config.json', 'preprocessor_config.json']) {
    await writeFile(join(own, name), await readFile(join(dir, name)));
  }
  const processor = JSON.parse(await readFile(join(dir, 'preprocessor_config.json'), 'utf8'));
  const sizes = { size: { shortest_edge: 16 }, crop_size: { height: 16, width: 16 } };
  await writeFile(join(own, 'preprocessor_config.json'), JSON.stringify({ ...processor, ...sizes }));
  await writeFile(join(own, 'config.json'), JSON.stringify(golden.config));
  const index = { weight_map: { a: 'pytorch_model-00001-of-00001.bin' } };
  await writeFile(join(own, 'pytorch_model.bin.index.json'), JSON.stringify(index));
  await writeFile(join(own, 'pytorch_model-00001-of-00001.bin'), await readFile(saved('clip-end-by-id')));
  const files = await readModelFiles({ dir: own });
  assert.deepEqual(
    [files.built, files.checkpoint?.vision.weights],
    [true, ['pytorch_model-00001-of-00001.bin']],
  );
  const weights = files.checkpoint!.vision.weights.map((file) => join(own, file));
  const scale = await findScale({ ...nowhere, weights });
  assert.ok('logitScale' in scale && Math.abs(scale.logitScale - Math.exp(4.5)) < 1e-4);
  // Beside an export it may be anything.
  await assert.rejects(findScale({ ...nowhere, weights: [saved('before-1.6')] }), {
    code: 'MODEL_SCALE_UNKNOWN',
  });
});
