// Where commands keep what they keep, seen from outside: each in a process with an environment of its own.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chmod, copyFile, mkdir, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { demoModel, pictures, startFile } from '../support/fleet.ts';
import { temporaryFolder } from '../support/support.ts';

interface Place {
  cwd: string;
  env?: Record<string, string>;
  uid?: number;
}

function clipfleet({ cwd, env = {}, uid }: Place, ...args: string[]) {
  const options = { cwd, encoding: 'utf8' as const, ...(uid !== undefined && { uid, gid: uid }) };
  const { PATH = '' } = process.env;
  return spawnSync(process.execPath, [startFile, ...args], { ...options, env: { PATH, ...env } });
}

const how = ['--labels', 'fox,owl', '--model', demoModel];

test('runs are kept in one place for each user, and found from any folder', async (t) => {
  const [pictureFolder, other, home] = [
    await temporaryFolder(t),
    await temporaryFolder(t),
    await temporaryFolder(t),
  ];
  await copyFile(join(pictures, 'owl.jpg'), join(pictureFolder, 'owl.jpg'));
  const env = { HOME: home };
  const labeled = clipfleet({ cwd: pictureFolder, env }, 'label', '.', ...how, '--run', 'mine');
  assert.equal(labeled.status, 0, labeled.stderr);
  assert.deepEqual(await readdir(pictureFolder), ['owl.jpg'], 'the folder of pictures need not be writable');
  const results = clipfleet({ cwd: other, env }, 'results', 'mine');
  assert.match(results.stdout, /^owl\.jpg +owl /m, results.stderr);
  assert.deepEqual(
    (await readdir(join(home, '.local/state/clipfleet/redis'))).includes('appendonlydir'),
    true,
  );
});

test('looking for runs, a help text and a typo create nothing', async (t) => {
  const [cwd, home] = [await temporaryFolder(t), await temporaryFolder(t)];
  const env = { HOME: home, HF_HUB_OFFLINE: '1' };
  const commands = [
    ['runs'],
    ['--help'],
    ['label', '--help'],
    ['results', 'typo'],
    ['label', 'typo', ...how],
  ];
  const said = commands.map((args) => {
    const { status, stderr } = clipfleet({ cwd, env }, ...args);
    return [status, /[A-Z]+_?[A-Z]+:|No runs/.exec(stderr)?.[0]];
  });
  assert.deepEqual(said, [
    [0, 'No runs'],
    [0, undefined],
    [0, undefined],
    [1, 'RUN_UNKNOWN:'],
    [1, 'USAGE:'],
  ]);
  assert.deepEqual([await readdir(cwd), await readdir(home)], [[], []]);
});

test('a folder .clipfleet of an earlier version goes on being used', async (t) => {
  const [cwd, home] = [await temporaryFolder(t), await temporaryFolder(t)];
  const old = clipfleet(
    { cwd, env: { HOME: home, CLIPFLEET_DATA_DIR: '.clipfleet' } },
    ...['label', join(pictures, 'owl.jpg'), ...how, '--run', 'old'],
  );
  assert.equal(old.status, 0, old.stderr);
  assert.match(clipfleet({ cwd, env: { HOME: home } }, 'runs').stdout, / old {2}/);
});

test('a name of the Hub that was meant as a folder is said to be none', async (t) => {
  const cwd = await temporaryFolder(t);
  await copyFile(join(pictures, 'owl.jpg'), join(cwd, 'owl.jpg'));
  const env = { HOME: cwd, HF_HUB_OFFLINE: '1' };
  const { status, stderr } = clipfleet(
    { cwd, env },
    'label',
    'owl.jpg',
    '--labels',
    'a,b',
    '--model',
    'modells/demo',
  );
  assert.equal(status, 1);
  assert.match(stderr, /MODEL_NOT_FOUND: .*Nor is there a folder .*\/modells\/demo\./);
});

test('what is wrong with Redis or the places is said before a model is looked for', async (t) => {
  const cwd = await temporaryFolder(t);
  await copyFile(join(pictures, 'owl.jpg'), join(cwd, 'owl.jpg'));
  const args = ['label', 'owl.jpg', '--labels', 'a,b', '--model', 'owner/far-away'];
  const noRedis = clipfleet({ cwd, env: { HOME: cwd, REDIS_URL: 'redis://127.0.0.1:1' } }, ...args);
  assert.match(noRedis.stderr, /^clipfleet: REDIS_UNAVAILABLE: /);
  const noPlace = clipfleet(
    { cwd, env: { HOME: cwd } },
    ...args,
    '--data-dir',
    join(cwd, 'owl.jpg', 'below'),
  );
  assert.match(noPlace.stderr, /^clipfleet: DATA_DIR_UNUSABLE: .*cannot be made .*--data-dir/);
});

test('a user whom the system does not know, without HOME, can label', {
  skip: process.getuid?.() === 0 ? false : 'only root can be somebody else',
}, async (t) => {
  const cwd = await temporaryFolder(t);
  await mkdir(join(cwd, 'in'));
  await copyFile(join(pictures, 'owl.jpg'), join(cwd, 'in', 'owl.jpg'));
  await chmod(cwd, 0o755);
  t.after(() => rm('/tmp/clipfleet-123456', { recursive: true, force: true }));
  const nobody = { cwd: join(cwd, 'in'), uid: 123_456 };
  const { status, stderr } = clipfleet(nobody, 'label', 'owl.jpg', ...how);
  assert.equal(status, 0, stderr);
});

test('one who may not write where runs are kept is told so, and not that Redis does not answer', {
  skip: process.getuid?.() === 0 ? false : 'only root can be somebody else',
}, async (t) => {
  const cwd = await temporaryFolder(t);
  await mkdir(join(cwd, 'data/redis'), { recursive: true });
  await copyFile(join(pictures, 'owl.jpg'), join(cwd, 'owl.jpg'));
  await chmod(cwd, 0o755);
  const nobody = { cwd, uid: 123_456 };
  const there = clipfleet(nobody, 'label', 'owl.jpg', ...how, '--data-dir', 'data');
  assert.match(there.stderr, /^clipfleet: DATA_DIR_UNUSABLE: .*written \(EACCES.*--data-dir/);
  const noHome = clipfleet({ ...nobody, env: { HOME: '/nonexistent' } }, 'label', 'owl.jpg', ...how);
  assert.match(noHome.stderr, /^clipfleet: DATA_DIR_UNUSABLE: .*\/nonexistent.*--data-dir/);
});
