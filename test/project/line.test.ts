// The line that docs/design.md draws is the code's.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { filesOf } from '../support/repositoryFiles.ts';

const [page] = await filesOf('docs/design.md');
const source = new Map((await filesOf('src/**/*.ts')).map(({ path, text }) => [path, text]));

/** The rows of the table: stage, file, function. */
const stages = [...page!.text.matchAll(/^\| ([a-z ]+) \| `(src\/\S+)` \| `(\w+)` \|/gm)].map(
  ([, stage, file, name]) => ({ stage: stage!, file: file!, name: name! }),
);

/** A function, or a method of an object that is returned. */
function defines(text: string, name: string): boolean {
  return new RegExp(`^ *(export )?(async )?(function )?${name}(<[^>]*>)?\\(.*$`, 'm').test(text);
}

test('each stage of the line is a function of the file that the page names', () => {
  assert.ok(stages.length >= 12, `${stages.length} stages`);
  for (const { stage, file, name } of stages)
    assert.ok(defines(source.get(file) ?? '', name), `${stage}: ${name} in ${file}`);
});

test('what a job goes through stands in consume in the order of the page', () => {
  const consume = source.get('src/worker/jobs/consume.ts')!;
  const body = consume.slice(consume.indexOf('async function consume('));
  const calls = ['intake.take(', 'begin(', 'label(', 'storeRows(', 'settle('];
  const places = calls.map((call) => body.indexOf(call));
  assert.ok(
    places.every((place, i) => place >= 0 && (i === 0 || place > places[i - 1]!)),
    `${places}`,
  );
});

test('a function is found where it is defined and not where it is called', () => {
  assert.ok(defines('export async function put(a: number) {', 'put'));
  assert.ok(defines('    async put(a) {', 'put'));
  assert.ok(!defines('  await put(a);', 'put'));
});
