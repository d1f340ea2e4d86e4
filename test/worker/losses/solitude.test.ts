import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { createSolitude } from '../../../src/worker/losses/solitude.ts';

/** Work that says when it begins and ends, and ends when told to. */
function createScene() {
  const solitude = createSolitude();
  const said: string[] = [];
  const ends = new Map<string, () => void>();
  const work = (name: string) => async () => {
    said.push(`${name} begins`);
    await new Promise<void>((resolve) => ends.set(name, resolve));
    said.push(`${name} ends`);
    return name;
  };
  const end = async (name: string) => {
    ends.get(name)!();
    await turn();
  };
  return { solitude, said, work, end };
}

test('what is to be alone waits for what is in hand, and what comes later waits for it', async () => {
  const { solitude, said, work, end } = createScene();
  const all = [solitude.together(work('a')), solitude.together(work('b'))];
  all.push(solitude.alone(work('suspect')), solitude.together(work('c')), solitude.alone(work('other')));
  await turn();
  assert.deepEqual(said.splice(0), ['a begins', 'b begins']);
  await end('b');
  assert.deepEqual(said.splice(0), ['b ends']);
  await end('a');
  assert.deepEqual(said.splice(0), ['a ends', 'suspect begins']);
  await end('suspect');
  assert.deepEqual(said.splice(0), ['suspect ends', 'other begins']);
  await end('other');
  assert.deepEqual(said.splice(0), ['other ends', 'c begins']);
  await end('c');
  assert.deepEqual(await Promise.all(all), ['a', 'b', 'suspect', 'c', 'other']);
});

test('work that fails keeps nobody waiting', async () => {
  const { solitude } = createScene();
  const fails = async () => {
    throw new Error('no');
  };
  await assert.rejects(solitude.together(fails), /no/);
  await assert.rejects(solitude.alone(fails), /no/);
  assert.equal(await solitude.together(async () => 'yes'), 'yes');
});
