import assert from 'node:assert/strict';
import { test } from 'node:test';
import { accountText } from '../../../src/cli/terminal/accountText.ts';
import type { RunProgress } from '../../../src/producer/runs/runProgress.ts';

test('an account names what there is some of, and one image is one image', () => {
  const none = { waiting: 0, active: 0, classified: 0, failed: 0, skipped: 0, duplicates: 0, retrying: 0 };
  const said = (counts: Partial<RunProgress>) => accountText({ ...none, ...counts } as RunProgress);
  assert.equal(said({ expected: 1, classified: 1 }), '1 image: 1 classified');
  assert.equal(said({ expected: 0 }), '0 images: none');
  const many = said({ expected: 9, classified: 6, failed: 2, waiting: 1, duplicates: 3, retrying: 1 });
  assert.equal(many, '9 images: 6 classified, 2 failed, 1 waiting, 1 tried again; 3 more came twice');
});
