// What goes to which decoder, without any: the test plays the decoders.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Ending } from '../../../src/worker/decoders/decoderMessages.ts';
import { playDecoders } from '../../support/playedDecoders.ts';
import { until } from '../../support/support.ts';

const crash: Ending = { why: 'crash', how: 'signal SIGSEGV' };
const kill: Ending = { why: 'killed', how: 'signal SIGKILL' };

const imageOf = (given: string) => given.split(':')[1];

test('decoders are started for images that nobody takes, and no more than there may be', async (t) => {
  const { add, starts, ready, given, begun } = playDecoders(t);
  assert.equal(starts.size, 0);
  add(1);
  assert.deepEqual([...starts.keys()], [0]);
  await ready(0);
  assert.deepEqual(given(), ['0:1']);
  for (const id of [2, 3, 4, 5]) add(id);
  assert.deepEqual([...starts.keys()], [1]);
  assert.deepEqual(given(), ['0:1', '0:2'], 'one is in work and one ahead');
  await ready(1);
  assert.deepEqual(given(), ['0:1', '0:2', '1:3', '1:4']);
  assert.equal(begun(), 2, 'what is ahead has not begun');
});

test('urgent images go first, and an image that waits can be taken back', async (t) => {
  const { add, ready, given, pixels, schedule } = playDecoders(t, { decoders: 1 });
  for (const id of [1, 2, 3, 4]) add(id);
  add(9, true);
  await ready(0);
  assert.deepEqual(given(), ['0:9', '0:1']);
  const back = add(5);
  assert.equal(schedule.takeBack(back), true);
  for (const id of [9, 1, 2, 3, 4]) await pixels(id);
  assert.deepEqual(given(), []);
});

test('a large image waits for room, alone if it is larger than all of it, and small ones go on', async (t) => {
  const { add, ready, given, needs, pixels, roomOf, done } = playDecoders(t, { decoders: 3 });
  for (const id of [1, 2, 3]) add(id);
  for (const decoder of [0, 1, 2]) await ready(decoder);
  assert.equal(roomOf(1), 10, 'what each may have without asking');
  await needs(1, 60);
  assert.equal(roomOf(1), 60);
  await needs(2, 60);
  await needs(3, 1_000);
  assert.deepEqual(given().map(imageOf), ['1'], 'one of 60 fits into 100');
  add(4);
  assert.deepEqual(given().map(imageOf), ['1', '4'], 'a small one overtakes them');
  await pixels(4);
  await pixels(1);
  assert.equal(given().length, 1);
  assert.equal(roomOf(2), 60);
  await pixels(2);
  assert.equal(roomOf(3), 1_000, 'more than all, alone');
  await pixels(3);
  assert.deepEqual(done, ['4', '1', '2', '3']);
});

test('a decoder is started for a large image that waits when there is none', async (t) => {
  const { add, ready, needs, pixels, given, starts, schedule } = playDecoders(t, { decoders: 2 });
  for (const id of [1, 2]) add(id);
  for (const decoder of [0, 1]) await ready(decoder);
  await needs(1, 60);
  await needs(2, 60);
  const [first] = given().map(imageOf);
  for (const decoder of [0, 1])
    if (!given().some((one) => one.startsWith(`${decoder}:`))) schedule.gone(decoder);
  assert.equal(starts.size, 0, 'the second has no room');
  await pixels(Number(first));
  for (const decoder of [0, 1]) schedule.gone(decoder);
  assert.equal(given().length + starts.size, 1);
});

test('the room of an image that is to be alone is kept while its decoder starts', async (t) => {
  const { add, ready, given, needs, dies, pixels } = playDecoders(t);
  for (const id of [1, 2]) add(id);
  await ready(0);
  await ready(1);
  await needs(1, 60);
  await dies(1, crash);
  await needs(2, 60);
  assert.deepEqual(given(), [], 'there is no room for both');
  await ready(2);
  assert.deepEqual(given(), ['2:1']);
  await pixels(1);
  assert.deepEqual(given().map(imageOf), ['2']);
});

test('an image whose decoder died is alone in a new one, and fails if that dies too', async (t) => {
  const { add, ready, given, dies, pixels, done, starts, replaced } = playDecoders(t, { decoders: 1 });
  for (const id of [1, 2, 3]) add(id);
  await ready(0);
  assert.deepEqual(given(), ['0:1', '0:2']);
  await dies(1, crash);
  await dies(2, crash, false);
  assert.deepEqual([...starts.keys()], [1]);
  await ready(1);
  assert.deepEqual(given(), ['1:1'], 'nobody is behind it');
  await dies(1, crash);
  assert.deepEqual(done, ['1 IMAGE_CRASHED_DECODER']);
  assert.deepEqual(replaced, [true, true], 'each death once, whoever was behind');
  await ready(2);
  assert.deepEqual(given(), ['2:2', '2:3'], 'who was behind it goes first, and not alone');
  await pixels(2);
  await pixels(3);
  assert.deepEqual(done, ['1 IMAGE_CRASHED_DECODER', '2', '3']);
});

test('a decoder that lived through the image it was started for takes others', async (t) => {
  const { add, ready, given, dies, pixels } = playDecoders(t, { decoders: 1 });
  for (const id of [1, 2]) add(id);
  await ready(0);
  await dies(1, crash);
  await dies(2, crash, false);
  await ready(1);
  await pixels(1);
  assert.deepEqual(given(), ['1:2']);
});

test('each end has its code: time and reading at once, memory and the clock after one more try', async (t) => {
  const codeOf = async (...endings: Ending['why'][]) => {
    const { add, ready, dies, done, starts } = playDecoders(t, { decoders: 1 });
    add(1);
    for (const why of endings) {
      await ready([...starts.keys()][0]!);
      await dies(1, { why, how: 'x' });
    }
    return done.join();
  };
  assert.equal(await codeOf('cpu'), '1 DECODE_TIMEOUT');
  assert.equal(await codeOf('read'), '1 FETCH_TIMEOUT');
  assert.equal(await codeOf('memory'), '');
  assert.equal(await codeOf('memory', 'memory'), '1 IMAGE_TOO_MUCH_MEMORY');
  assert.equal(await codeOf('wall'), '');
  assert.equal(await codeOf('wall', 'wall'), '1 DECODE_TIMEOUT');
  // Whoever kills a decoder from outside does not mean the image.
  assert.equal(await codeOf('killed', 'killed', 'killed'), '');
  assert.equal(await codeOf('killed', 'killed', 'killed', 'killed'), '1 IMAGE_CRASHED_DECODER');
});

test('who waits behind a slow image is taken back and goes elsewhere, and slow ones make place', async (t) => {
  const { add, ready, given, clock, forgotten, forgets, starts, pixels, ended } = playDecoders(t, {
    decoders: 1,
  });
  for (const id of [1, 2, 3]) add(id);
  await ready(0);
  clock.ms = 150;
  await until(() => forgotten.includes(2), 'the second is taken back');
  await forgets(2);
  assert.deepEqual(given(), ['0:1'], 'nobody is put behind it again');
  clock.ms = 1_500;
  await until(() => starts.has(1), 'another decoder is started');
  await ready(1);
  assert.deepEqual(given(), ['0:1', '1:2', '1:3']);
  await pixels(1);
  assert.deepEqual(given(), ['1:2', '1:3'], 'there are two where one should work, so one rests');
  await pixels(2);
  await pixels(3);
  assert.equal(ended.length, 0);
  clock.ms += 9_900;
  add(4);
  assert.deepEqual(given(), ['0:4']);
  clock.ms += 99;
  await pixels(4);
  assert.equal(ended.length, 0);
  clock.ms += 1;
  await until(() => ended.includes(1), 'the one too many has rested for ten seconds');
  add(5);
  assert.deepEqual(given(), ['0:5']);
  clock.ms += 100_000;
  await pixels(5);
  assert.deepEqual([...starts.keys(), ...ended], [1], 'the only one stays');
});

test('however many images are slow, at most twice the decoders are started for them', async (t) => {
  t.mock.timers.enable({ apis: ['setInterval'] });
  const { add, ready, clock, starts, given, pixels, ended, forgotten, forgets, done } = playDecoders(t);
  const begunAt = new Map<number, number>();
  let started = 0;
  for (let id = 0; id < 40; id++) add(id);
  while (done.length < 40 && clock.ms < 100_000) {
    for (const decoder of [...starts.keys()]) {
      started++;
      await ready(decoder);
    }
    for (const id of forgotten.splice(0)) await forgets(id);
    // The first of each decoder is in work.
    const first = new Map(
      given()
        .reverse()
        .map((one) => one.split(':').map(Number) as [number, number]),
    );
    for (const id of first.values()) {
      if (!begunAt.has(id)) begunAt.set(id, clock.ms);
      else if (clock.ms - begunAt.get(id)! >= 1_500 + ((id * 137) % 700)) await pixels(id);
    }
    clock.ms += 200;
    t.mock.timers.tick(200);
  }
  assert.equal(done.length, 40);
  assert.deepEqual([started, ended.length], [4, 0]);
});

test('an idle decoder that is gone is not given anything', async (t) => {
  const { add, ready, pixels, schedule, starts, given, replaced } = playDecoders(t, { decoders: 1 });
  add(1);
  await ready(0);
  await pixels(1);
  schedule.gone(0);
  assert.deepEqual(replaced, [false]);
  add(2);
  assert.deepEqual([...starts.keys()], [1]);
  await ready(1);
  assert.deepEqual(given(), ['1:2']);
});

test('a decoder that cannot be started is tried again, and at last the stage is lost', async (t) => {
  const { add, ready, starts, lost, given } = playDecoders(t, { decoders: 1 });
  add(1);
  await ready(0, kill);
  await until(() => starts.has(1), 'it is tried again');
  await ready(1);
  assert.deepEqual(given(), ['1:1']);

  const never = playDecoders(t, { decoders: 1 });
  never.add(1);
  for (let decoder = 0; decoder < 6; decoder++) {
    await until(() => never.starts.has(decoder), `start ${decoder}`);
    await never.ready(decoder, { why: 'crash', how: 'exit code 1' });
  }
  assert.match(never.lost[0]!.message, /6 in a row .*exit code 1/);
  assert.equal(never.lost[0]!.code, 'SESSION_LOST');
  assert.deepEqual(lost, []);
});
