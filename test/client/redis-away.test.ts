// A service does not wait for a Redis that is away.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createClient } from '../../src/client.ts';
import { startRedisServer } from '../support/redisServer.ts';
import { until } from '../support/support.ts';

const labels = ['fox', 'owl'];
const model = 'demo@abc:fp32';
const away = { code: 'REDIS_UNAVAILABLE' };

test('what waits for a Redis that goes away is given up, and works again when it is back', async (t) => {
  const server = await startRedisServer(t);
  const client = await createClient({ redisUrl: server.url, patienceMs: 100 });
  t.after(() => client.close());
  const run = await client.openRun({ labels, model });
  const waiting = [
    client.classify('https://example.org/a.jpg', labels, { model }),
    run.ended(),
    run.results({ follow: true }).next(),
  ];
  const adding = run.add(
    (async function* () {
      yield 'a.jpg';
      await server.stop();
      yield 'b.jpg';
    })(),
  );
  await assert.rejects(adding, away);
  for (const each of waiting) await assert.rejects(each, away);
  // It is known to be away: nothing is sent.
  await assert.rejects(run.progress(), away);
  await assert.rejects(client.openRun({ labels, model }), away);
  await server.start();
  await until(() => run.progress().catch(() => undefined), 'the client has found Redis again');
});

test('an address where no Redis is is refused', async () => {
  await assert.rejects(createClient({ redisUrl: 'redis://127.0.0.1:1' }), away);
});
