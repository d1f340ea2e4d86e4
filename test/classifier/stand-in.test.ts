import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { jsonLines, repository, startFleet } from '../support/fleet.ts';

const reference = join(repository, '../shared/reference');
const model = join(reference, 'stand-in-clip');
const absent = [model, join(reference, 'photos')].find((place) => !existsSync(place));

test('a CLIP for photographs knows a cat and a rocket', {
  skip: absent && `${absent} is not on this machine`,
}, async (t) => {
  const fleet = await startFleet(t);
  const photos = ['chelsea.png', 'rocket.jpg'].map((name) => join(reference, 'photos', name));
  const labels = 'cat,dog,rocket,cup of coffee,owl';
  const args = ['--labels', labels, '--model', model, '--output', '-'];
  const { code, stdout, stderr } = await fleet.run('label', ...photos, ...args);
  assert.equal(code, 0, stderr);
  const lines = jsonLines<{ id: string; predictions: { label: string }[] }>(stdout);
  assert.deepEqual(
    lines.map(({ id, predictions }) => [id.split('/').at(-1), predictions[0]?.label]),
    [
      ['chelsea.png', 'cat'],
      ['rocket.jpg', 'rocket'],
    ],
  );
});
