// The contract of results stores, on a PostgreSQL server that the tests start.
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { openPostgres } from '../../../src/shared/rows/postgres/openPostgres.ts';
import type { Row } from '../../../src/shared/rows/row.ts';
import { silent } from '../../support/heart.ts';
import { startPostgres } from '../../support/postgresServer.ts';
import { testResultsStore } from '../../support/resultsStoreContract.ts';

const server = await startPostgres({ after });
let birth = 'b';
const records = {
  factsOf: async () => ({ birth, model: 'm@1:fp32', labelSet: 'l' }),
  labelsOf: async () => ['fox', 'bear', 'owl'],
};
let databases = 0;

function sayBirth(said: string): void {
  birth = said;
}

testResultsStore(
  'PostgreSQL',
  async (t) => {
    const store = await openPostgres(await server.create(`contract${databases++}`), records, silent);
    t.after(() => store.close());
    return store;
  },
  sayBirth,
);

test('in PostgreSQL, the rows of a run that expires go when the next such run comes', async (t) => {
  const ends = new Map([
    ['old', Date.now() - 1_000],
    ['new', Date.now() + 3_600_000],
  ]);
  const expiring = {
    ...records,
    factsOf: async (run: string) => ({ ...(await records.factsOf()), expiresAt: ends.get(run) }),
  };
  const store = await openPostgres(await server.create('expiring'), expiring, silent);
  t.after(() => store.close());
  const row: Row = {
    ...{ id: 'a', uri: 'a', generation: 0, at: 1, place: { chunk: 0, index: 0 } },
    ...{ status: 'failed', error: { code: 'INTERNAL', message: 'm' } },
  };
  for (const run of ['old', 'new', 'stays']) await store.putRows(run, [row]);
  await store.bear({ run: 'stays', birth });
  assert.ok(await store.getRow('old', 'a'));
  await store.bear({ run: 'new', birth, expiresAt: ends.get('new') });
  assert.deepEqual([await store.getRow('old', 'a'), (await store.counts('old')).failed], [undefined, 0]);
  for (const run of ['new', 'stays']) assert.ok(await store.getRow(run, 'a'), run);
  assert.equal((await store.counts('stays')).failed, 1);
});
