import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { repository } from '../support/fleet.ts';

const script = join(repository, 'dist/scripts/runTests.js');

test('every test file of the tree is run, however deep it lies', async () => {
  const entries = await readdir(join(repository, 'test'), { recursive: true });
  const written = entries.filter((path) => path.endsWith('.test.ts')).map((path) => join('dist/test', path));
  const listed = execFileSync(process.execPath, [script, '--list'], { encoding: 'utf8' });
  assert.ok(written.length > 100);
  assert.deepEqual(listed.trim().split('\n').sort(), written.map((path) => path.replace(/ts$/, 'js')).sort());
});

test('the unit part has the tests that start neither processes nor a Redis', () => {
  const listed = execFileSync(process.execPath, [script, '--list', '--unit'], { encoding: 'utf8' });
  const files = listed.trim().split('\n');
  assert.ok(files.length > 50, `${files.length} files`);
  assert.ok(files.includes('dist/test/worker/onnx/half.test.js'));
  // By itself, and by a file of test/support.
  for (const other of [
    'shared/runs/runs.test.js',
    'worker/hub/hub-scale.test.js',
    'worker/hosts/host-limits.test.js',
  ])
    assert.ok(!files.includes(`dist/test/${other}`), other);
});

test('tests that take minutes are named so, and run only when asked for', () => {
  const listed = execFileSync(process.execPath, [script, '--list', '--long'], { encoding: 'utf8' });
  assert.deepEqual(listed.trim().split('\n'), [
    'dist/test/faults/redis-away.long.js',
    'dist/test/worker/decode/decoders-killed.long.js',
  ]);
});

test('a folder without tests is no success', () => {
  const { status, stderr } = spawnSync(process.execPath, [script, 'no-such-folder'], { encoding: 'utf8' });
  assert.equal(status, 1);
  assert.match(stderr, /Expected a test below test\/\{no-such-folder\}, got none/);
});
