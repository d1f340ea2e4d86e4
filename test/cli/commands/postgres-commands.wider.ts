// What people see of a results store in PostgreSQL: passwords, an absent server, one that is lost, and the wrong one.
import assert from 'node:assert/strict';
import { chmod, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { copyPictures, demoModel, startFleet } from '../../support/fleet.ts';
import { startPostgres } from '../../support/postgresServer.ts';
import { until } from '../../support/support.ts';

const server = await startPostgres({ after });
const labels = ['--model', demoModel, '--labels', 'fox,bear,owl,car,cat,dog'];

/** A database whose user must give the password `s3cret-word`. */
async function createLocked(database: string): Promise<string> {
  await server.create(database);
  await server.ask(`CREATE ROLE locked_${database} LOGIN PASSWORD 's3cret-word'`);
  await server.ask(`GRANT CREATE ON DATABASE ${database} TO locked_${database}`);
  const [{ hba_file: path } = { hba_file: '' }] = await server.ask<{ hba_file: string }>('SHOW hba_file');
  await server.ask(
    `COPY (SELECT unnest(ARRAY['local ${database} locked_${database} scram-sha-256', 'local all all trust'])) TO '${path}'`,
  );
  await server.ask('SELECT pg_reload_conf()');
  return server.url(database).replace('test@', `locked_${database}@`);
}

test('the password comes from the file of PGPASSFILE; without one the command ends before it decodes', async (t) => {
  const fleet = await startFleet(t);
  await copyPictures(fleet, 'pictures', 6);
  fleet.env.CLIPFLEET_STORE = await createLocked('filed');
  const without = await fleet.run('label', 'pictures', ...labels);
  assert.equal(without.code, 1);
  assert.match(without.stderr, /STORE_UNAVAILABLE/);
  const path = join(fleet.folder, 'pgpass');
  await writeFile(path, '*:*:*:locked_filed:s3cret-word\n');
  await chmod(path, 0o600);
  fleet.env.PGPASSFILE = path;
  const { code, stderr } = await fleet.run('label', 'pictures', ...labels, '--run', 'r');
  assert.equal(code, 0, stderr);
  const [seen] = await server.ask<{ rows: number }>(
    'SELECT count(*)::int4 AS rows FROM clipfleet.rows',
    'filed',
  );
  assert.equal(seen?.rows, 6);
});

test('a password is never printed: not of a server that is away, refuses, is lost, or of what is no URL', async (t) => {
  const fleet = await startFleet(t);
  await copyPictures(fleet, 'pictures', 1);
  const url = await createLocked('printed');
  const stores = [
    url.replace('locked_printed@', 'locked_printed:s3cret-wrong@'),
    'postgres://me:s3cret-word@127.0.0.1:1/there',
    'postgres://me:s3cret-word@[there',
    'postgres://me:s3cret-%zz@there/db',
    'mysql://me:s3cret-word@there/db',
  ];
  for (const store of stores) {
    for (const command of [['label', 'pictures', ...labels], ['runs']]) {
      fleet.env.CLIPFLEET_STORE = store;
      const { code, stdout, stderr } = await fleet.run(...command);
      assert.notEqual(code, 0, `${command[0]} with ${store}`);
      assert.doesNotMatch(stdout + stderr, /s3cret/);
      assert.match(stderr, /^clipfleet: (USAGE|STORE_UNAVAILABLE): /m);
    }
  }
  fleet.env.CLIPFLEET_STORE = url.replace('locked_printed@', 'locked_printed:s3cret-word@');
  const { code, stdout, stderr } = await fleet.run('label', 'pictures', ...labels, '--run', 'r');
  assert.equal(code, 0, stderr);
  const status = await fleet.run('status', 'r');
  const record = JSON.stringify(await fleet.redis.hgetall('clipfleet:run:{r}'));
  assert.match(record, /postgres:/);
  assert.doesNotMatch(stdout + stderr + status.stdout + status.stderr + record, /s3cret/);
});

test('a run whose rows are elsewhere is refused by commands that read or change rows, and listed all the same', async (t) => {
  const fleet = await startFleet(t);
  await copyPictures(fleet, 'pictures', 2);
  const url = await server.create('mismatched');
  const command = ['label', 'pictures', ...labels, '--run', 'r'];
  fleet.env.CLIPFLEET_STORE = url;
  assert.equal((await fleet.run(...command)).code, 0);
  const commands = [
    ['results', 'r'],
    ['status', 'r'],
    ['retry', 'r'],
    ['audit', 'r'],
    ['cancel', 'r'],
    ['rm', 'r'],
    command,
  ];
  for (const store of ['', await server.create('wrong')]) {
    if (store) fleet.env.CLIPFLEET_STORE = store;
    else delete fleet.env.CLIPFLEET_STORE;
    for (const given of commands) {
      const { code, stderr } = await fleet.run(...given);
      assert.notEqual(code, 0, given.join(' '));
      assert.match(stderr, /STORE_MISMATCH/, given.join(' '));
    }
    const { code, stdout } = await fleet.run('runs', '--format', 'jsonl');
    assert.equal(code, 0);
    assert.match(stdout, /"r"/);
  }
  fleet.env.CLIPFLEET_STORE = url;
  assert.equal((await fleet.run('results', 'r', '--format', 'jsonl')).stdout.trim().split('\n').length, 2);
});

test('label says that its server is lost, and when it is back, and ends with all rows', async (t) => {
  const own = await startPostgres(t);
  const fleet = await startFleet(t);
  await copyPictures(fleet, 'pictures', 300);
  fleet.env.CLIPFLEET_STORE = await own.create('lost');
  const label = fleet.start('label', 'pictures', ...labels, '--run', 'r', '--chunk-size', '4');
  const rows = async () => {
    const asked = own.ask<{ rows: number }>('SELECT count(*)::int4 AS rows FROM clipfleet.rows', 'lost');
    return (await asked.catch(() => []))[0]?.rows ?? 0;
  };
  await until(async () => (await rows()) > 0, 'there are rows', 120_000);
  await own.stop();
  await until(() => /^backing off: PostgreSQL failed: ./m.test(label.text().stderr), 'it says so', 60_000);
  await own.start();
  const { code, stderr } = await label.ended;
  assert.equal(code, 0, stderr);
  assert.match(stderr, /^no longer backing off from failures of PostgreSQL$/m);
  assert.equal(await rows(), 300);
});
