import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { demoModel, jsonLines, pictures, startFleet } from '../../support/fleet.ts';

interface Line {
  predictions: { label: string; score: number; logit?: number; cosine?: number }[];
}

test('what flags and a labels file say of scores reaches the rows', async (t) => {
  const fleet = await startFleet(t);
  const labels = [
    { label: 'owl', prompts: ['This is a photo of owl.', 'This is a photo of owlet.'], threshold: 0.5 },
    { label: 'bear', threshold: 0.99 },
    { label: 'seagull', negative: true },
  ];
  await writeFile(join(fleet.folder, 'labels.json'), JSON.stringify({ labels }));
  const owl = join(pictures, 'owl.jpg');
  const common = ['--labels-file', 'labels.json', '--model', demoModel, '--output', '-'];
  const { code, stdout, stderr } = await fleet.run('label', owl, ...common, '--outputs', 'logit,cosine');
  assert.equal(code, 0, stderr);
  const [row] = jsonLines<Line>(stdout);
  assert.deepEqual(
    row!.predictions.map(({ label }) => label),
    ['owl'],
    'bear is below its threshold, seagull never said',
  );
  const { score, logit, cosine } = row!.predictions[0]!;
  assert.ok(score > 0.5 && score < 1, 'the others take their share');
  assert.ok(Math.abs(logit! / cosine! - 19.883644) < 1e-3, 'the logit is the cosine times the model’s scale');

  const plain = await fleet.run('label', owl, ...common, '--score-function', 'cosine', '--top-k', '1');
  assert.deepEqual(jsonLines<Line>(plain.stdout)[0]!.predictions, [{ label: 'owl', score: cosine }]);
  const wrong = await fleet.run('label', owl, ...common, '--outputs', 'logits');
  assert.equal(wrong.code, 1);
  assert.match(wrong.stderr, /--outputs: Expected logit, cosine or both/);
});
