import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  canonicalLabelSet,
  defineLabelSet,
  type LabelSetInput,
  labelSetId,
} from '../../../src/shared/labels/labelSet.ts';
import { keysUnder } from '../../../src/shared/redis/keys.ts';
import { createLabelMatrices } from '../../../src/worker/labels/labelMatrices.ts';
import { type Fleet, startFleet } from '../../support/fleet.ts';

const keys = keysUnder('test');
const leaseMs = 30_000;

/** A text tower that counts what it is asked; a prompt's embedding follows from its length. */
function countingTower() {
  const asked: string[] = [];
  const embedTexts = async (prompts: readonly string[]) => {
    asked.push(...prompts);
    const embeddings = Float32Array.from(
      prompts.flatMap(({ length }) => [Math.cos(length), Math.sin(length)]),
    );
    return {
      embeddings,
      truncated: prompts.flatMap((prompt, i) => (prompt.includes('too long') ? [i] : [])),
    };
  };
  return { asked, embedTexts };
}

async function storeLabels({ redis }: Fleet, input: LabelSetInput): Promise<string> {
  const labelSet = defineLabelSet(input);
  await redis.set(keys.labelSet(labelSetId(labelSet)), canonicalLabelSet(labelSet));
  return labelSetId(labelSet);
}

test('a fleet encodes a label set once, also when all its workers need it at the same time', async (t) => {
  const fleet = await startFleet(t);
  const { asked, embedTexts } = countingTower();
  const worker = () =>
    createLabelMatrices({ redis: fleet.redis, keys, fingerprint: 'f', embedTexts, leaseMs });
  const id = await storeLabels(fleet, { labels: ['fox', 'bear'] });
  const [first, ...others] = await Promise.all([worker(), worker(), worker()].map((each) => each.get(id)));
  assert.deepEqual(asked, ['This is a photo of fox.', 'This is a photo of bear.']);
  for (const other of others) assert.deepEqual(other.matrix, first!.matrix);
  assert.deepEqual(
    (await worker().get(id)).matrix,
    first!.matrix,
    'a worker that starts later finds it in Redis',
  );
  assert.equal(asked.length, 2);
});

test('a changed threshold encodes nothing anew, another model everything', async (t) => {
  const fleet = await startFleet(t);
  const { asked, embedTexts } = countingTower();
  const under = (fingerprint: string) =>
    createLabelMatrices({ redis: fleet.redis, keys, fingerprint, embedTexts, leaseMs });
  const labels = ['fox', 'bear'];
  const matrices = under('f');
  await matrices.get(await storeLabels(fleet, { labels }));
  await matrices.get(await storeLabels(fleet, { labels, threshold: 0.5, topK: 1 }));
  assert.equal(asked.length, 2);
  await under('g').get(await storeLabels(fleet, { labels }));
  assert.equal(asked.length, 4);
});

test('labels of which a prompt was cut are named', async (t) => {
  const fleet = await startFleet(t);
  const { embedTexts } = countingTower();
  const matrices = createLabelMatrices({ redis: fleet.redis, keys, fingerprint: 'f', embedTexts, leaseMs });
  const labels = ['fox', { label: 'bear', prompts: ['a bear', 'a bear that is too long'] }];
  const { truncated } = await matrices.get(await storeLabels(fleet, { labels }));
  assert.deepEqual(truncated, ['bear']);
});

test('an unknown label set is an error, and found once it is stored', async (t) => {
  const fleet = await startFleet(t);
  const { embedTexts } = countingTower();
  const matrices = createLabelMatrices({ redis: fleet.redis, keys, fingerprint: 'f', embedTexts, leaseMs });
  const labelSet = defineLabelSet({ labels: ['fox', 'bear'] });
  await assert.rejects(matrices.get(labelSetId(labelSet)), { code: 'LABEL_SET_UNKNOWN' });
  const id = await storeLabels(fleet, { labels: ['fox', 'bear'] });
  assert.equal((await matrices.get(id)).matrix.labels, 2);
});

test('a lease key that holds another type is named, stays as it is, and the labels are encoded all the same', async (t) => {
  const fleet = await startFleet(t);
  const { asked, embedTexts } = countingTower();
  const id = await storeLabels(fleet, { labels: ['fox', 'bear'] });
  const named: string[] = [];
  const open = () =>
    createLabelMatrices({
      ...{ redis: fleet.redis, keys, fingerprint: 'f', embedTexts, leaseMs },
      onForeign: (key) => named.push(key),
    });
  await open().get(id);
  const [matrix = ''] = await fleet.redis.keys(keys.matrix('*'));
  const lease = keys.matrixLease(/\{(.*)\}/.exec(matrix)![1]!);
  await fleet.redis.del(matrix);
  await fleet.redis.hset(lease, 'not', 'ours');
  const { matrix: encoded } = await open().get(id);
  assert.deepEqual([encoded.labels, asked.length, named], [2, 4, [lease]]);
  assert.equal(await fleet.redis.type(lease), 'hash');
});
