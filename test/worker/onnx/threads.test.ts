import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { startThread } from '../../../src/worker/onnx/threadClient.ts';

function start(t: TestContext, data = 'data') {
  const file = new URL('../../support/doomed-thread.js', import.meta.url);
  const thread = startThread<string, string>('The doomed thread', file, data);
  t.after(() => thread.close());
  return thread;
}

test('what is asked before a thread is ready is answered once it is, in its order', async (t) => {
  const thread = start(t);
  const answers: string[] = [];
  const keep = async (word: string) => answers.push(await thread.ask<string>(word));
  await Promise.all([keep('slow'), keep('b'), keep('c')]);
  assert.equal(await thread.ready, 'here with data');
  assert.deepEqual(answers, ['slow, done', 'b, done', 'c, done']);
});

test('a request that fails is rejected, and the next is answered', async (t) => {
  const thread = start(t);
  await assert.rejects(thread.ask('fail'), { code: 'INFERENCE_FAILED', message: 'It does not work.' });
  assert.equal(await thread.ask('a'), 'a, done');
});

test('a thread that does not open says why', async (t) => {
  const thread = start(t, 'broken');
  const asked = assert.rejects(thread.ask('a'), { code: 'MODEL_INVALID', message: 'It does not open.' });
  await assert.rejects(thread.ready, { code: 'MODEL_INVALID' });
  await asked;
});

for (const word of ['end', 'throw']) {
  test(`a thread that ends by itself (${word}) rejects what waits and what comes`, async (t) => {
    const thread = start(t);
    await thread.ready;
    const asked = Promise.allSettled([thread.ask(word), thread.ask('a')]);
    await assert.rejects(thread.died, { code: 'SESSION_LOST' });
    // A thread that throws may have answered before.
    for (const request of await asked) {
      if (word === 'end' || request.status === 'rejected')
        assert.equal((request as PromiseRejectedResult).reason?.code, 'SESSION_LOST');
    }
    await assert.rejects(thread.ask('b'), { code: 'SESSION_LOST' });
  });
}

test('a thread that is closed is not called dead', async (t) => {
  const thread = start(t);
  let died = false;
  thread.died.catch(() => {
    died = true;
  });
  await thread.ready;
  const asked = assert.rejects(thread.ask('a'), { code: 'SESSION_LOST' });
  await thread.close();
  await asked;
  await new Promise<void>((resolve) => setImmediate(resolve));
  assert.equal(died, false);
});

test('a thread that does not answer in time is given up: what it was asked and what it will be is rejected', async (t) => {
  const thread = start(t);
  await thread.ready;
  thread.limitAnswers(10_000);
  assert.equal(await thread.ask('hello'), 'hello, done');
  thread.limitAnswers(50);
  const lost = { code: 'SESSION_LOST', message: /^The doomed thread has not answered for 0.05 s: it hangs/ };
  const asked = [thread.ask('hang'), thread.ask('hello')];
  for (const answer of asked) await assert.rejects(answer, lost);
  await assert.rejects(thread.died, lost);
  await assert.rejects(thread.ask('hello'), lost);
});

test('the clock of an answer begins with its turn', async (t) => {
  const thread = start(t);
  await thread.ready;
  // 1.5 s in all, and 50 ms each.
  thread.limitAnswers(1_000);
  const answers = await Promise.all(Array.from({ length: 30 }, () => thread.ask('rest')));
  assert.equal(answers.length, 30);
});
