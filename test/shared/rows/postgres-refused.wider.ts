// What a database does not take, and what only many rows and many processes show, on a PostgreSQL server of the test's own.
import assert from 'node:assert/strict';
import { after, type TestContext, test } from 'node:test';
import { recountRows } from '../../../src/shared/rows/postgres/counts.ts';
import { openPostgres } from '../../../src/shared/rows/postgres/openPostgres.ts';
import { openSessions, type SqlSessions } from '../../../src/shared/rows/postgres/sqlSession.ts';
import type { Row } from '../../../src/shared/rows/row.ts';
import { silent } from '../../support/heart.ts';
import { startPostgres } from '../../support/postgresServer.ts';

const server = await startPostgres({ after });
const records = {
  factsOf: async () => ({ birth: 'b', model: 'm@1:fp32', labelSet: 'l' }),
  labelsOf: async () => ['fox', 'bear', 'owl'],
};

async function openStore(t: TestContext, database: string) {
  const url = await server.create(database);
  const store = await openPostgres(url, records, silent);
  t.after(() => store.close());
  return { url, store };
}

async function sessionsOf(t: TestContext, url: string): Promise<SqlSessions> {
  const sessions = await openSessions(url);
  t.after(() => sessions.close());
  return sessions;
}

function rowsOf(ids: readonly string[], generation = 0): Row[] {
  return ids.map((id, index) => {
    const base = { id, uri: id, generation, place: { chunk: 0, index }, at: 1_767_225_600 };
    return { ...base, status: 'classified', predictions: [{ index: 1, score: 0.5 }], fingerprint: 'f' };
  });
}

const idsOf = (count: number) => Array.from({ length: count }, (_, i) => `image-${i}`);

test('a row that a constraint stands against becomes a failed row that says so, and all others are stored', async (t) => {
  const { store } = await openStore(t, 'refused');
  await server.ask(
    `ALTER TABLE clipfleet.rows ADD CONSTRAINT no_owls CHECK (code IS NOT NULL OR id NOT IN ('image-7', 'image-150'))`,
    'refused',
  );
  // Several calls, of which all but the first gather into one statement.
  const rows = rowsOf(idsOf(200));
  await Promise.all([0, 50, 100, 150].map((from) => store.putRows('r', rows.slice(from, from + 50))));
  const failures = { ROW_REFUSED: 2 };
  assert.deepEqual(await store.counts('r'), { classified: 198, failed: 2, failures });
  const row = await store.getRow('r', 'image-150');
  assert.match(row?.status === 'failed' ? row.error.message : '', /no_owls.*SQLSTATE 23514/);
});

test('a row that is refused as a failed one too ends its own call, and no other', async (t) => {
  const { store } = await openStore(t, 'never');
  await server.ask(`ALTER TABLE clipfleet.rows ADD CHECK (id <> 'image-7')`, 'never');
  const rows = rowsOf(idsOf(30));
  const put = (from: number) => store.putRows('r', rows.slice(from, from + 10));
  await put(20);
  const [first, second] = await Promise.allSettled([put(10), put(0), put(20)]).then((all) => all.slice(0, 2));
  assert.equal(first?.status, 'fulfilled');
  assert.equal(second?.status === 'rejected' && second.reason.code, 'ROW_REFUSED');
  assert.equal((await store.counts('r')).classified >= 20, true);
});

test('a recount in parts sees each row once, and repairs counts that somebody else changed', async (t) => {
  const { url, store } = await openStore(t, 'recounted');
  const sessions = await sessionsOf(t, url);
  // In UTF-16 the second is below the first, in the database above it.
  await store.putRows('r', rowsOf([...idsOf(95), '\u{ffee}', '\u{10000}', '猫', 'a', 'b']));
  const [run] = await sessions.query<{ key: number }>('SELECT key FROM clipfleet.runs');
  const there = { classified: 100, failed: 0, failures: {} };
  for (const atOnce of [1, 3, 50, 100, 101]) {
    const { counted } = await recountRows(sessions, run!.key, false, atOnce);
    assert.deepEqual(counted, there, `${atOnce} at once`);
  }
  await sessions.query('UPDATE clipfleet.counts SET rows = rows + 5');
  assert.deepEqual(await store.recount('r', false), {
    stored: { ...there, classified: 105 },
    counted: there,
  });
  await store.recount('r', true);
  assert.deepEqual(await store.counts('r'), there);
});

test('a recount that repairs nothing does not wait for those who write, and they do not wait for it', async (t) => {
  const { url, store } = await openStore(t, 'beside');
  const sessions = await sessionsOf(t, url);
  await store.putRows('r', rowsOf(['a']));
  const [run] = await sessions.query<{ key: number }>('SELECT key FROM clipfleet.runs');
  await sessions.inTransaction(async ({ query }) => {
    await query(`SELECT pg_advisory_xact_lock_shared(${0x636c6970}, $1)`, [run!.key]);
    assert.equal((await store.recount('r', false)).counted.classified, 1);
  });
});

test('counts are summed up when many statements have appended theirs, and stay what they were', async (t) => {
  const { url, store } = await openStore(t, 'compacted');
  const sessions = await sessionsOf(t, url);
  const lines = async () =>
    (await sessions.query<{ lines: number }>('SELECT count(*)::int4 AS lines FROM clipfleet.counts'))[0]!
      .lines;
  await store.putRows('r', rowsOf(['a']));
  await sessions.query(
    `INSERT INTO clipfleet.counts SELECT run, status, 1 FROM clipfleet.counts, generate_series(1, 1500)`,
  );
  assert.equal(await lines(), 1_501);
  const expected = { classified: 1_501, failed: 0, failures: {} };
  assert.deepEqual(await store.counts('r'), expected);
  assert.equal(await lines(), 1, 'whoever read so many summed them up');
  assert.deepEqual(await store.counts('r'), expected);
});

test('of processes that come to an empty database at once one makes the tables, and all are the same store', async (t) => {
  const url = await server.create('together');
  const stores = await Promise.all(Array.from({ length: 4 }, () => openPostgres(url, records, silent)));
  t.after(() => Promise.all(stores.map((store) => store.close())));
  assert.equal(new Set(stores.map(({ name }) => name)).size, 1);
  await Promise.all(stores.map((store, i) => store.putRows('r', rowsOf([`image-${i}`, 'a']))));
  assert.equal((await stores[0]!.counts('r')).classified, 5);
});
