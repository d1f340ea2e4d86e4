import assert from 'node:assert/strict';
import type { LookupAddress } from 'node:dns';
import { test } from 'node:test';
import { createHostNames } from '../../../src/worker/names/hostNames.ts';
import type { Urgency } from '../../../src/worker/names/lookups.ts';
import { NameError } from '../../../src/worker/names/nameError.ts';
import { until } from '../../support/support.ts';

const address: LookupAddress = { address: '192.0.2.1', family: 4 };

/** Names whose look-ups wait until they are answered here. */
function askedNames() {
  const asked: { name: string; urgency: Urgency; answer(found: LookupAddress | string): void }[] = [];
  const missed: string[] = [];
  const names = createHostNames((error) => missed.push(error.message), {
    ask: (name, urgency) =>
      new Promise((resolve, reject) => {
        const answer = (found: LookupAddress | string) =>
          typeof found === 'string' ? reject(new NameError(name, found)) : resolve([found]);
        asked.push({ name, urgency, answer });
      }),
    close: () => {},
  });
  return { names, asked, missed };
}

test('a name is looked up once for all who want it, and remembered', async () => {
  const { names, asked } = askedNames();
  const lookups = [names.lookup('a.test'), names.lookup('a.test')];
  assert.equal(asked.length, 1);
  asked[0]!.answer(address);
  assert.deepEqual(await Promise.all(lookups), [[address], [address]]);
  assert.deepEqual(await names.lookup('a.test'), [address]);
  assert.deepEqual(await names.standing('a.test'), { kind: 'known' });
  assert.equal(asked.length, 1);
});

test('an address needs no look-up', async () => {
  const { names, asked } = askedNames();
  for (const literal of ['127.0.0.1', '::1']) {
    assert.deepEqual(await names.standing(literal), { kind: 'known' });
    assert.equal(names.nearAnswer(literal, 1), undefined);
  }
  assert.equal(asked.length, 0);
});

test('while an answer is out nobody is let in, and all hear of it', async () => {
  const { names, asked } = askedNames();
  assert.deepEqual(await names.standing('a.test'), { kind: 'asking', unansweredMs: 0 });
  const near = names.nearAnswer('a.test', 60_000);
  asked[0]!.answer(address);
  assert.equal(await near, true);
  assert.deepEqual(await names.standing('a.test'), { kind: 'known' });
});

test('a look-up that did not come is no verdict: it is made again, after a pause and behind new names', async () => {
  const { names, asked, missed } = askedNames();
  const first = names.lookup('a.test');
  asked[0]!.answer('EAI_AGAIN');
  await assert.rejects(first, { code: 'FETCH_FAILED', isAbsent: false });
  assert.equal(missed.length, 1);
  const standing = await names.standing('a.test');
  assert.ok(standing.kind === 'unanswered' && standing.waitMs > 0 && standing.waitMs <= 1_000);
  await assert.rejects(names.lookup('a.test'), NameError);
  assert.equal(asked.length, 1, 'it is remembered');
  assert.equal(await names.nearAnswer('a.test', 60_000), true, 'the pause ends');
  const again = await names.standing('a.test');
  assert.ok(again.kind === 'asking' && again.unansweredMs > 0, 'since when is kept');
  assert.deepEqual(
    asked.map(({ urgency }) => urgency),
    ['new', 'again'],
  );
  asked[1]!.answer(address);
  await until(async () => (await names.standing('a.test')).kind === 'known', 'it is known');
});

test('a name that does not exist is an answer, of which the host is asked no more', async () => {
  const { names, asked } = askedNames();
  const lookup = names.lookup('a.test');
  asked[0]!.answer('ENOTFOUND');
  await assert.rejects(lookup, { code: 'FETCH_FAILED', isAbsent: true });
  assert.deepEqual(await names.standing('a.test'), { kind: 'known' });
  await assert.rejects(names.lookup('a.test'), { isAbsent: true });
  assert.equal(asked.length, 1);
});

test('who waits for a name is called back at once', async () => {
  const { names } = askedNames();
  await names.standing('a.test');
  const controller = new AbortController();
  const near = names.nearAnswer('a.test', 60_000, controller.signal);
  controller.abort();
  assert.equal(await near, true);
  assert.equal(await names.nearAnswer('a.test', 1), false);
});
