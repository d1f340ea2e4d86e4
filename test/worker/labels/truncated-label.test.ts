import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { createClassifier } from '../../../src/classifier.ts';
import { demoModel, jsonLines, pictures, startFleet } from '../../support/fleet.ts';

const owl = join(pictures, 'owl.jpg');
const long = `a small owl ${'on a green branch in the wood '.repeat(12)}at night`;

test('a label that is too long for the text tower is a warning with its name, and the row is there', async (t) => {
  const fleet = await startFleet(t);
  const args = ['--labels', `fox,${long}`, '--model', demoModel, '--run', 'long', '--output', '-'];
  const { code, stdout, stderr } = await fleet.run('label', owl, ...args);
  assert.equal(code, 0, stderr);
  const [row] = jsonLines<{ status: string; predictions: { label: string }[] }>(stdout);
  assert.deepEqual(row?.predictions.map(({ label }) => label).sort(), [long, 'fox']);

  const named = `'${long.slice(0, 80)}'`;
  const warnings = stderr.split('\n').filter((line) => line.startsWith('Warning: '));
  assert.equal(warnings.length, 1, stderr);
  assert.ok(warnings[0]!.includes('LABEL_TRUNCATED') && warnings[0]!.endsWith(named), warnings[0]);

  const status = await fleet.run('status', 'long', '--format', 'jsonl');
  const [{ warnings: kept = [] } = {}] = jsonLines<{ warnings?: string[] }>(status.stdout);
  assert.equal(kept.length, 1);
  assert.equal(`Warning: ${kept[0]}`, warnings[0]);
});

test('labels that fit are no warning', async (t) => {
  const fleet = await startFleet(t);
  const args = ['--labels', 'fox,a small owl on a green branch', '--model', demoModel, '--run', 'short'];
  const { stderr } = await fleet.run('label', owl, ...args);
  assert.doesNotMatch(stderr, /Warning/);
  const { stdout } = await fleet.run('status', 'short', '--format', 'jsonl');
  assert.deepEqual(jsonLines<{ warnings: string[] }>(stdout)[0]?.warnings, []);
});

test('the second run with the same labels, encoded before, is warned as well', async (t) => {
  const fleet = await startFleet(t);
  const args = ['--labels', `fox,${long}`, '--model', demoModel];
  await fleet.run('label', owl, ...args);
  const { stderr } = await fleet.run('label', owl, ...args);
  assert.match(stderr, /^Warning: LABEL_TRUNCATED: .*'a small owl/m);
});

test('the classifier on its own warns as a process does', async (t) => {
  const classifier = await createClassifier({ model: demoModel });
  t.after(() => classifier.close());
  const warnings: (Error & { code?: string })[] = [];
  const note = (warning: Error) => warnings.push(warning);
  process.on('warning', note);
  t.after(() => process.off('warning', note));
  const predictions = await classifier.classify(owl, ['fox', long]);
  assert.equal(predictions.length, 2);
  await setImmediate();
  const [warning] = warnings;
  assert.equal(warning?.code, 'LABEL_TRUNCATED');
  assert.ok(warning.message.includes(long.slice(0, 50)), warning.message);
});
