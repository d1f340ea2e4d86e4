// Towers that are computed in float16, as on a GPU. The CPU casts around each step, which rounds as a GPU does.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { buildTowers } from '../../../src/worker/checkpoint/buildTowers.ts';
import {
  dataType,
  fieldsOf,
  graphField,
  modelField,
  tensorField,
  textField,
} from '../../../src/worker/onnx/onnxProto.ts';
import { openDevice } from '../../../src/worker/session/devices.ts';
import { embedImages, embedTexts, filesOf } from '../../support/checkpointEmbeddings.ts';
import { readCheckpointGolden, variantNames } from '../../support/checkpointGoldens.ts';
import { largestDifference } from '../../support/goldens.ts';

/** Of unit vectors of 8 and 16 numbers: some roundings of float16, each of 5e-4 of the number. */
const TOLERANCE = 2e-3;

/** The field of a NodeProto that names its operator. */
const OPERATOR = 4;

const cpu = await openDevice('cpu');

/** The element types of a graph's constants, and how many casts it has. */
function contentOf(model: Uint8Array): { constants: Set<number>; casts: number } {
  const constants = new Set<number>();
  let casts = 0;
  const graph = [...fieldsOf(model)].find(({ number }) => number === modelField.graph)!;
  for (const { number, value } of fieldsOf(graph.value)) {
    if (number === graphField.initializer) {
      constants.add([...fieldsOf(value)].find((field) => field.number === tensorField.dataType)!.integer);
    }
    if (number === graphField.node && textField(value, OPERATOR) === 'Cast') casts++;
  }
  return { constants, casts };
}

for (const name of variantNames) {
  test(`${name}: embeddings in float16 are those of transformers, rounded`, async () => {
    const golden = await readCheckpointGolden(name);
    const { vision, text } = await buildTowers(filesOf(golden), 'fp16');
    for (const [what, ours, theirs] of [
      ['images', await embedImages(vision, golden, cpu), golden.images],
      ['texts', await embedTexts(text, golden, cpu), golden.texts],
    ] as const) {
      const off = largestDifference(ours, theirs);
      assert.ok(off < TOLERANCE, `${what} are off by ${off}`);
      assert.ok(off > 1e-6, `${what} were computed in float32`);
    }
  });
}

test('weights in float16 go into it as they are: only what comes in and what goes out is cast', async () => {
  const half = await readCheckpointGolden('clip-end-highest-f16-shards');
  const { vision, text, storedAsHalf } = await buildTowers(filesOf(half), 'fp16');
  assert.equal(storedAsHalf, true);
  for (const [tower, casts] of [
    [vision, 2],
    [text, 2],
  ] as const) {
    const content = contentOf(tower.graph);
    assert.deepEqual([...content.constants].sort(), [dataType.int64, dataType.float16].sort());
    assert.equal(content.casts, casts);
  }
});

test('a checkpoint is stored in float16 where all its matrices are', async () => {
  for (const [name, expected] of [
    ['siglip-f16', true],
    ['siglip-bf16', false],
    ['clip-end-by-id', false],
  ] as const) {
    const { storedAsHalf } = await buildTowers(filesOf(await readCheckpointGolden(name)));
    assert.equal(storedAsHalf, expected, name);
  }
});
