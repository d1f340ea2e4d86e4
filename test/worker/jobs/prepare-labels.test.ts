import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ClipfleetError } from '../../../src/shared/errors.ts';
import { defineLabelSet } from '../../../src/shared/labels/labelSet.ts';
import { createPrepareLabels } from '../../../src/worker/jobs/prepareLabels.ts';
import type { PreparedLabels } from '../../../src/worker/labels/labelMatrices.ts';
import { deliver, refs } from '../../support/heart.ts';
import { matrix } from '../../support/threeLabels.ts';

const labelSet = defineLabelSet({ labels: ['fox', 'bear', 'owl'] });
const chunk = { run: 'r', chunk: 0, generation: 0, images: refs('a'), labelSet: 'l' };

function prepareFrom(get: () => Promise<PreparedLabels>) {
  const warnings: string[] = [];
  const warn = async (run: string, warning: string) => void warnings.push(`${run}: ${warning}`);
  const prepare = createPrepareLabels({ labelMatrices: { get }, runs: { warn }, newerGraceMs: 60_000 });
  return { prepare, warnings };
}

test('labels that were cut are named in one warning a run', async () => {
  const truncated = Array.from({ length: 12 }, (_, i) => `label ${i}`);
  const { prepare, warnings } = prepareFrom(async () => ({ labelSet, matrix, truncated }));
  assert.equal((await prepare(deliver(['a']).delivery, chunk)).kind, 'ready');
  await prepare(deliver(['a']).delivery, { ...chunk, chunk: 1 });
  await prepare(deliver(['a']).delivery, { ...chunk, run: 's' });
  assert.equal(warnings.length, 2);
  assert.match(warnings[0]!, /^r: LABEL_TRUNCATED: .*'label 0', .*'label 9' and 2 more$/);
  assert.match(warnings[1]!, /^s: /);
});

test('labels that cannot be used are an error for the images; a newer label set is waited for', async () => {
  const fails = (code: 'LABEL_SET_UNKNOWN' | 'JOB_NEWER') =>
    prepareFrom(async () => {
      throw new ClipfleetError(code, 'as it is');
    }).prepare;
  const { delivery } = deliver(['a']);
  const unknown = await fails('LABEL_SET_UNKNOWN')(delivery, chunk);
  assert.ok(unknown.kind === 'unusable' && unknown.error.code === 'LABEL_SET_UNKNOWN');
  assert.deepEqual(await fails('JOB_NEWER')(delivery, chunk), { kind: 'postponed', delayMs: 10_000 });
  const old = { ...delivery, addedAt: Date.now() - 61_000 };
  assert.equal((await fails('JOB_NEWER')(old, chunk)).kind, 'unusable');
});

test('what is not the label set’s doing is thrown on', async () => {
  for (const error of [new Error('Redis is away'), new ClipfleetError('SESSION_LOST', 'It ended.')]) {
    const { prepare } = prepareFrom(async () => {
      throw error;
    });
    await assert.rejects(prepare(deliver(['a']).delivery, chunk), error);
  }
});
