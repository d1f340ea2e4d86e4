import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { readValues } from '../../bench/bench.ts';
import { benches } from '../../bench/benches.ts';
import { writeCheapModel } from '../../bench/cheapModel.ts';
import { count } from '../../bench/commonArguments.ts';
import { withSection } from '../../bench/page.ts';
import { createClassifier } from '../../src/classifier.ts';
import { pictures } from '../support/fleet.ts';
import { temporaryFolder } from '../support/support.ts';

test('a bench that runs again replaces its section, and what stands around it stays', () => {
  const first = withSection('# Benchmarks\n\nRead this first.\n', 'session', '## Session\n\nold');
  const both = `${withSection(first, 'peers', '## Peers').trimEnd()}\n\nA last word.\n`;
  const again = withSection(both, 'session', '## Session\n\nnew');
  assert.equal(again, both.replace('old', 'new'));
  assert.match(
    again,
    /Read this first\.\n\n<!-- bench session -->\n## Session\n\nnew\n<!-- end of session -->/,
  );
  assert.match(again, /<!-- end of peers -->\n\nA last word\.\n$/);
});

test('arguments of a bench are checked, all of them', () => {
  const definitions = { images: count('512', 'Images.'), rounds: count('5', 'Rounds.') };
  assert.deepEqual(readValues(definitions, ['--images', '8']), { images: 8, rounds: 5 });
  assert.throws(
    () => readValues(definitions, ['--images', 'many', '--rounds', '0']),
    /--images: Expected a whole number, got 'many'\.\n--rounds: Expected at least 1, got '0'\./,
  );
});

test('each bench has what the page needs of it', async () => {
  for (const [name, load] of Object.entries(benches)) {
    const { title, says, arguments: definitions, packages } = await load();
    assert.ok(title.length > 0 && says.length > 0 && packages.length > 0, name);
    readValues(definitions, []);
  }
});

test('the model that costs next to nothing is a model', async (t) => {
  const model = await writeCheapModel(join(await temporaryFolder(t), 'cheap'));
  const classifier = await createClassifier({ model, logitScale: 100, logitBias: 0 });
  t.after(() => classifier.close());
  const labels = ['fox', 'bear', 'owl'];
  const [fox, dog] = await classifier.classify(
    ['fox.jpg', 'dog.jpg'].map((file) => join(pictures, file)),
    labels,
  );
  assert.deepEqual(fox!.map(({ label }) => label).sort(), [...labels].sort());
  assert.notDeepEqual(fox, dog);
});
