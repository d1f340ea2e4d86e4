import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { findScale, type ScaleQuery } from '../../../src/worker/model/findScale.ts';
import { temporaryFolder } from '../../support/support.ts';

/** A checkpoint in safetensors that holds the scale alone. */
function checkpoint(logitScale: number): Buffer {
  const header = Buffer.from('{"logit_scale":{"dtype":"F64","shape":[],"data_offsets":[0,8]}}');
  const numbers = Buffer.alloc(16);
  numbers.writeBigUInt64LE(BigInt(header.length));
  numbers.writeDoubleLE(Math.log(logitScale), 8);
  return Buffer.concat([numbers.subarray(0, 8), header, numbers.subarray(8)]);
}

/** Checkpoints on the Hub, by repository; `asked` gets the names in the order they were asked for. */
function hubOf(scales: Record<string, number>, asked: string[] = []): NonNullable<ScaleQuery['readHub']> {
  return async (repository, use) => {
    asked.push(repository);
    const scale = scales[repository];
    if (scale === undefined) return undefined;
    const file = checkpoint(scale);
    return use(async (start, length) => new Uint8Array(file.subarray(start, start + length)));
  };
}

const nowhere: ScaleQuery = {
  dir: 'no-such-folder',
  weights: [],
  name: undefined,
  exportedFrom: undefined,
  scoreFunction: 'softmax',
  given: { logitScale: undefined, logitBias: undefined },
  readHub: undefined,
  joint: undefined,
  downloadJoint: undefined,
};

/** The scale, rounded, and where it was found. */
async function found(query: Partial<ScaleQuery>): Promise<[number | string, string]> {
  const scale = await findScale({ ...nowhere, ...query });
  return 'solve' in scale ? [scale.solve, 'solve'] : [Math.round(scale.logitScale), scale.source];
}

test('each source of the scale comes before the next', async (t) => {
  const dir = await temporaryFolder(t);
  await writeFile(join(dir, 'model.safetensors'), checkpoint(20));
  const asked: string[] = [];
  const query: Partial<ScaleQuery> = {
    given: { logitScale: 10, logitBias: undefined },
    weights: [join(dir, 'model.safetensors')],
    joint: 'model.onnx',
    name: 'Xenova/clip-vit-base-patch32',
    exportedFrom: 'somebody/else',
    readHub: hubOf({ 'Xenova/clip-vit-base-patch32': 30, 'some/export': 40, 'somebody/else': 50 }, asked),
  };
  assert.deepEqual(await found(query), [10, 'given by the user']);
  query.given = nowhere.given;
  assert.deepEqual(await found(query), [20, 'model.safetensors of the model']);
  query.weights = [];
  assert.deepEqual(await found(query), ['model.onnx', 'solve']);
  query.joint = undefined;
  assert.deepEqual(await found(query), [100, 'known scale of Xenova/clip-vit-base-patch32']);
  assert.deepEqual(asked, [], 'the Hub is not asked for what is known');
  query.name = 'some/export';
  assert.deepEqual(await found(query), [40, 'model.safetensors of some/export']);
  query.name = 'onnx-community/export';
  query.readHub = hubOf({ 'somebody/else': 50 }, asked);
  assert.deepEqual(await found(query), [50, 'model.safetensors of somebody/else']);
  assert.deepEqual(asked, ['some/export', 'onnx-community/export', 'somebody/else']);
  query.readHub = hubOf({});
  query.downloadJoint = async () => 'downloaded.onnx';
  assert.deepEqual(await found(query), ['downloaded.onnx', 'solve']);
});

test('what is known of the model a fine-tuned one began as is not taken for its own', async () => {
  const query = { ...nowhere, name: 'some/fine-tuned', exportedFrom: 'openai/clip-vit-base-patch32' };
  const own = { ...query, readHub: hubOf({ 'some/fine-tuned': 60 }) };
  assert.deepEqual(await found(own), [60, 'model.safetensors of some/fine-tuned']);
  await assert.rejects(findScale({ ...query, readHub: hubOf({}) }), { code: 'MODEL_SCALE_UNKNOWN' });
  await assert.rejects(findScale({ ...query, name: undefined }), { code: 'MODEL_SCALE_UNKNOWN' });
});

test('a scale that is nowhere is refused, not guessed', async () => {
  const unknown = { code: 'MODEL_SCALE_UNKNOWN', message: /some\/export.*--logit-scale.*--logit-bias/ };
  const query = { ...nowhere, name: 'some/export', exportedFrom: 'somebody/else' };
  await assert.rejects(findScale({ ...query, readHub: hubOf({}) }), unknown);
  await assert.rejects(findScale(query), unknown);
});

test('what the user says of scale and bias is taken together or not at all', async () => {
  const given = (logitScale?: number, logitBias?: number) => ({ given: { logitScale, logitBias } });
  assert.deepEqual(await findScale({ ...nowhere, ...given(10, -3) }), {
    logitScale: 10,
    logitBias: -3,
    source: 'given by the user',
  });
  const usage = (message: RegExp) => ({ code: 'USAGE', message });
  await assert.rejects(findScale({ ...nowhere, ...given(undefined, -3) }), usage(/--logit-scale/));
  const siglip = { ...nowhere, scoreFunction: 'sigmoid' } as const;
  await assert.rejects(findScale({ ...siglip, ...given(10) }), usage(/--logit-bias/));
});
