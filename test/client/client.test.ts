// The TypeScript client over Redis and over a gateway: the same calls, the same answers.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { type Client, createClient, type Row } from '../../src/client.ts';
import { demoModel, type Fleet, pictures, startFleet } from '../support/fleet.ts';
import { startGateway } from '../support/gateway.ts';
import { until } from '../support/support.ts';

const labels = ['fox', 'bear', 'owl'];

async function startServed(t: TestContext): Promise<{ fleet: Fleet; url: string }> {
  const fleet = await startFleet(t);
  const worker = fleet.start('worker', '--model', demoModel, '--root', pictures);
  const { url } = await startGateway(fleet);
  await until(() => worker.text().stderr.includes('worker ready'), 'the worker serves');
  return { fleet, url };
}

/** One of each kind; each is closed at the end. */
async function clientsOf(t: TestContext, { fleet, url }: { fleet: Fleet; url: string }): Promise<Client[]> {
  const redisUrl = `unix://${fleet.redis.options.path}`;
  const clients = await Promise.all(
    [{ redis: fleet.redis }, { redisUrl }, { url }].map(createClient as never),
  );
  t.after(() => Promise.all((clients as Client[]).map((client) => client.close())));
  return clients as Client[];
}

async function gathered<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}

test('every kind of client classifies one image, many at once, and says why one has failed', async (t) => {
  const served = await startServed(t);
  const bytes = await readFile(join(pictures, 'owl.jpg'));
  const answers: unknown[] = [];
  for (const client of await clientsOf(t, served)) {
    const [best, ...others] = await client.classify(bytes, labels);
    assert.equal(best?.label, 'owl');
    assert.equal(others.length, 2);
    answers.push(best);
    assert.deepEqual((await client.classify(new Blob([bytes]), labels))[0], best);
    const url = `data:image/jpeg;base64,${bytes.toString('base64')}`;
    assert.deepEqual((await client.classify(url, labels))[0], best);
    assert.notDeepEqual((await client.classify(url, labels, { template: 'a sketch of {}' }))[0], best);
    // A comma in a label is part of it.
    const odd = await client.classify(bytes, ['an owl, asleep', 'fox']);
    assert.deepEqual(odd.map(({ label }) => label).sort(), ['an owl, asleep', 'fox']);
    const many = await Promise.all(Array.from({ length: 50 }, () => client.classify(bytes, labels)));
    for (const [first] of many) assert.deepEqual(first, best);

    await assert.rejects(client.classify(Buffer.from('no image at all'), labels), {
      code: 'IMAGE_UNSUPPORTED',
    });
    await assert.rejects(client.classify(bytes, labels, { model: 'none' }), { code: 'MODEL_NOT_FOUND' });
    await assert.rejects(client.classify(bytes, labels, { timeoutMs: 1 }), { code: 'ANSWER_TIMEOUT' });
    const reason = new Error('enough');
    await assert.rejects(client.classify(bytes, labels, { signal: AbortSignal.abort(reason) }), reason);
  }
  assert.deepEqual(answers, Array(3).fill(answers[0]));
});

test('every kind of client fills a run from a stream and reads rows as they come', async (t) => {
  const served = await startServed(t);
  let number = 0;
  for (const client of await clientsOf(t, served)) {
    const run = await client.openRun({ labels: { labels, topK: 1 }, run: `r${number++}`, source: 'a test' });
    const seen: Row[] = [];
    const states: string[] = [];
    const following = (async () => {
      for await (const row of run.results({ follow: true })) seen.push(row);
    })();
    const events = (async () => {
      for await (const { state } of run.events()) states.push(state);
    })();

    async function* images() {
      yield 'owl.jpg';
      yield { id: 'second', uri: 'fox.jpg' };
      yield { id: 'third', uri: 'none.jpg' };
    }
    assert.equal(await run.add(images()), 3);
    const row = await until(() => run.row('second'), 'the second image has its row, while the run is open');
    assert.equal(row?.status === 'classified' && row.predictions[0]?.label, 'fox');
    assert.equal(await run.row('never'), undefined);
    assert.equal(await run.add(['owl.jpg', 'bear.png'], { seal: true }), 1);

    const told: number[] = [];
    const end = await run.ended({ onProgress: ({ done }) => void told.push(done) });
    assert.deepEqual([end.complete, end.classified, end.failed], [true, 3, 1]);
    assert.equal(told.at(-1), 4);
    await Promise.all([following, events]);
    assert.deepEqual(seen.map(({ id }) => id).sort(), ['bear.png', 'owl.jpg', 'second', 'third']);
    assert.equal(states.at(-1), 'complete');
    const rows = await gathered(client.run(run.id).results());
    assert.deepEqual(
      rows.map((of) =>
        of.status === 'classified' ? of.predictions[0]?.label : of.status === 'failed' && of.error.code,
      ),
      ['owl', 'fox', 'IMAGE_NOT_FOUND', 'bear'],
    );
    assert.deepEqual(await run.progress(), end);

    await assert.rejects(run.add(['car.jpg']), { code: 'RUN_SEALED' });
    await run.remove();
    await assert.rejects(run.progress(), { code: 'RUN_UNKNOWN' });
    await assert.rejects(run.row('owl.jpg'), { code: 'RUN_UNKNOWN' });
    await assert.rejects(gathered(run.results()), { code: 'RUN_UNKNOWN' });
  }
});

test('a source that throws, and a signal, end an adding; what came before is there', async (t) => {
  const served = await startServed(t);
  for (const client of await clientsOf(t, served)) {
    const run = await client.openRun({ labels });
    async function* failing() {
      yield 'owl.jpg';
      throw new Error('the list ends here');
    }
    await assert.rejects(run.add(failing()), { message: 'the list ends here' });

    const [stop, reason] = [new AbortController(), new Error('enough')];
    async function* endless() {
      for (let i = 0; ; i++) {
        if (i === 100) stop.abort(reason);
        yield { id: `i${i}`, uri: 'owl.jpg' };
      }
    }
    await assert.rejects(run.add(endless(), { signal: stop.signal }), reason);
    const waiting = AbortSignal.timeout(20);
    await assert.rejects(run.ended({ signal: waiting }), (error) => error === waiting.reason);
    await assert.rejects(gathered(run.results({ follow: true, signal: AbortSignal.abort(reason) })), reason);
    await run.pause();
    assert.equal((await run.progress()).paused, 'by request');
    await run.resume();
    await run.cancel();
    assert.equal((await run.ended()).state, 'cancelled');
  }
});

test('a gateway that is away, or is none, is said by its code', async () => {
  const client = await createClient({ url: 'http://127.0.0.1:1' });
  await assert.rejects(client.classify('https://example.org/a.jpg', labels), { code: 'GATEWAY_UNAVAILABLE' });
  await assert.rejects(client.run('r').ended(), { code: 'GATEWAY_UNAVAILABLE' });
  await assert.rejects(createClient({ url: 'localhost:8321' }), { code: 'USAGE' });
});
