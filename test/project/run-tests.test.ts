import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { repository } from '../support/fleet.ts';
import { temporaryFolder } from '../support/support.ts';

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
  assert.ok(files.includes('dist/test/shared/embeddings/half.test.js'));
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
    'dist/test/faults/soak.long.js',
    'dist/test/faults/wedged-lane.long.js',
    'dist/test/worker/decoders/decoders-killed.long.js',
    'dist/test/worker/decoders/decoders-memory.long.js',
  ]);
});

test('tests that need more than Node and Redis are named so, and run only when asked for', () => {
  const listed = execFileSync(process.execPath, [script, '--list', '--wider'], { encoding: 'utf8' });
  const files = listed.trim().split('\n');
  assert.ok(files.includes('dist/test/worker/hub/hub-layout.wider.js'));
  assert.ok(files.every((file) => file.endsWith('.wider.js')));
});

test('a skip is said with its reason, and one for no known reason fails where CI is set', async (t) => {
  const folder = await temporaryFolder(t);
  const file = join(folder, 'one.test.mjs');
  const run = (reason: string) => {
    writeFileSync(file, `import { test } from 'node:test';\ntest('owl', (t) => t.skip('${reason}'));\n`);
    const reporter = join(repository, 'dist/scripts/skipReporter.js');
    const words = ['--test', `--test-reporter=${reporter}`, '--test-reporter-destination=stderr', file];
    const env = { ...process.env, CI: 'true', NODE_TEST_CONTEXT: undefined };
    const { status, stderr } = spawnSync(process.execPath, words, { encoding: 'utf8', env });
    return { status, said: stderr };
  };
  assert.match(
    run('this machine allows no name server').said,
    /one\.test\.mjs: owl \(this machine allows no name server\)\n/,
  );
  assert.equal(run('this machine allows no name server').status, 0);
  assert.match(run('did not feel like it').said, /NOT IN THE LIST/);
  assert.equal(run('did not feel like it').status, 1);
});

test('a folder without tests is no success', () => {
  const { status, stderr } = spawnSync(process.execPath, [script, 'no-such-folder'], { encoding: 'utf8' });
  assert.equal(status, 1);
  assert.match(stderr, /Expected a test below test\/\{no-such-folder\}, got none/);
});
