import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { repository, startFleet } from '../support/fleet.ts';

/** Each line up to its numbers: scores may differ in their last digit from machine to machine, batches from run to run. */
const words = (text: string) =>
  text
    .split('\n')
    .filter((line) => !line.includes(' batches ('))
    .map((line) => line.replace(/[\d.]+/g, '#').trim())
    .filter((line) => line !== '');

test('the README shows what the demo prints', async (t) => {
  const fleet = await startFleet(t);
  const { code, stdout, stderr } = await fleet.run('demo');
  assert.equal(code, 0, stderr);
  const readme = await readFile(join(repository, 'README.md'), 'utf8');
  const shown = /It prints:\n\n```\n([\s\S]*?)```/.exec(readme)?.[1];
  assert.deepEqual(words(shown!), words(stdout));
  assert.match(stdout, /^owl\.jpg +owl /m);
  assert.match(stdout, /^car\.jpg +car /m);
});

test('no install of the README runs the script that downloads CUDA libraries', async () => {
  const readme = await readFile(join(repository, 'README.md'), 'utf8');
  const installs = readme.match(/^npm (ci|install)\b.*/gm)!;
  assert.ok(installs.some((line) => line.endsWith('.tgz')));
  for (const line of installs) assert.match(line, / --ignore-scripts /);
});

test('a reader comes to a prediction of their own pictures within 200 words', async () => {
  const readme = await readFile(join(repository, 'README.md'), 'utf8');
  const command = /npx clipfleet label \/path\/to\/pictures .*/.exec(readme)!;
  const before = readme.slice(0, command.index + command[0].length).split(/\s+/);
  assert.ok(before.length <= 200, `${before.length} words`);
});
