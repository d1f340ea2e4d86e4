// The contract of results stores, on a PostgreSQL server that the tests start.
import { after } from 'node:test';
import { openPostgres } from '../../../src/shared/rows/postgres/openPostgres.ts';
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
