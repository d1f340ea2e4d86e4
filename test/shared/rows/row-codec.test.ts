import assert from 'node:assert/strict';
import { test } from 'node:test';
import { errorTable } from '../../../src/shared/errors.ts';
import type { RankedLabel } from '../../../src/shared/rows/prediction.ts';
import type { Row } from '../../../src/shared/rows/row.ts';
import { bucketOf } from '../../../src/shared/rows/rowBucket.ts';
import { decodeRow, encodeRow, rankOf, readHead } from '../../../src/shared/rows/rowCodec.ts';

const fingerprints = ['f'.repeat(64), '0'.repeat(64)];

/** Numbers below `count`, the same in each run of the tests. */
function createDice(seed: number): (count: number) => number {
  let state = seed;
  return (count) => {
    state = (state * 48_271) % 2_147_483_647;
    return state % count;
  };
}

const texts = [
  'a',
  'owl.jpg',
  '猫/😀.jpg',
  ' ',
  '\0',
  'e\u0301',
  '"\\\n',
  'x'.repeat(1_024),
  'ü'.repeat(200),
];
const codes = Object.keys(errorTable) as (keyof typeof errorTable)[];

function makeRow(dice: (count: number) => number): Row {
  const pick = <T>(of: readonly T[]): T => of[dice(of.length)]!;
  const base = {
    id: pick(texts),
    uri: pick([...texts, '', 'data:,'.repeat(5_000)]),
    generation: pick([0, 1, 127, 128, 9_999]),
    place: { chunk: pick([0, 127, 128, 16_384, 2 ** 26 - 1]), index: dice(256) },
    at: pick([0, 1, 2_000_000_000, 2 ** 32 - 1]),
  };
  if (dice(3) === 0) {
    return { ...base, status: 'failed', error: { code: pick(codes), message: pick(['', ...texts]) } };
  }
  const [withLogit, withCosine] = [dice(2) === 0, dice(2) === 0];
  const predictions = Array.from({ length: pick([0, 1, 5, 300]) }, (): RankedLabel => {
    const number = () => Math.fround((dice(2_000_001) - 1_000_000) / 999);
    const more = { ...(withLogit && { logit: number() }), ...(withCosine && { cosine: number() }) };
    return { index: pick([0, 1, 127, 128, 99_999]), score: number(), ...more };
  });
  return { ...base, status: 'classified', predictions, fingerprint: pick(fingerprints) };
}

function roundTrip(row: Row): Row {
  const number = row.status === 'classified' ? fingerprints.indexOf(row.fingerprint) : 0;
  return decodeRow(row.id, encodeRow(row, number), fingerprints);
}

test('any row comes back as it was', () => {
  const dice = createDice(7);
  for (let i = 0; i < 2_000; i++) {
    const row = makeRow(dice);
    assert.deepEqual(roundTrip(row), row);
  }
});

test('a row with every label of the largest set, and one for each error code', () => {
  const base = {
    id: 'a',
    uri: 'b',
    generation: 0,
    place: { chunk: 1, index: 2 },
    at: 1_767_225_600,
  };
  const predictions = Array.from({ length: 100_000 }, (_, index) => ({
    index,
    score: Math.fround(1 / (index + 1)),
  }));
  const all: Row = { ...base, status: 'classified', predictions, fingerprint: fingerprints[1]! };
  assert.deepEqual(roundTrip(all), all);
  for (const code of codes) {
    const failed: Row = { ...base, status: 'failed', error: { code, message: `${code}?` } };
    assert.deepEqual(roundTrip(failed), failed);
  }
});

test('scores are rounded to float32, times cut to the second', () => {
  const row: Row = {
    ...{ id: 'a', uri: 'a', generation: 0, place: { chunk: 0, index: 0 }, at: 1_767_225_600.999 },
    ...{ status: 'classified', predictions: [{ index: 0, score: 0.1 }], fingerprint: fingerprints[0]! },
  };
  const back = roundTrip(row);
  assert.equal(back.at, 1_767_225_600);
  assert.equal(back.status === 'classified' && back.predictions[0]?.score, Math.fround(0.1));
});

test('a row that cannot be encoded leaves nothing behind for the next', () => {
  const row = makeRow(createDice(3));
  assert.throws(() => encodeRow({ ...row, at: 2 ** 33 }, 0));
  assert.deepEqual(roundTrip(row), row);
});

test('ranks order rows: by generation, then classified over failed', () => {
  const dice = createDice(11);
  const rows = Array.from({ length: 200 }, () => makeRow(dice));
  for (const row of rows) {
    const bytes = encodeRow(row, 0);
    assert.equal(bytes.readUInt16BE(0), rankOf(row));
    assert.deepEqual(readHead(bytes), { generation: row.generation, place: row.place });
  }
  const order = (row: Row) =>
    `${String(row.generation).padStart(4, '0')}${row.status === 'classified' ? 1 : 0}`;
  for (const a of rows) {
    for (const b of rows)
      assert.equal(Math.sign(rankOf(a) - rankOf(b)), order(a) < order(b) ? -1 : +(order(a) > order(b)));
  }
});

test('a row that is cut off is refused, wherever', () => {
  const dice = createDice(13);
  for (let i = 0; i < 50; i++) {
    const row = makeRow(dice);
    const bytes = encodeRow(row, 0);
    for (const length of [0, 1, 5, 7, bytes.length - 1]) {
      assert.throws(() => decodeRow(row.id, bytes.subarray(0, length), fingerprints), RangeError);
    }
  }
});

test('five predictions are 44 bytes at most where ids are their uris', () => {
  const predictions = [16_383, 16_382, 16_381, 16_380, 16_379].map((index) => ({ index, score: 0.2 }));
  const place = { chunk: 2_000_000, index: 63 };
  const base = { id: 'image-001', uri: 'image-001', generation: 0, place, at: 1_767_225_600 };
  const row: Row = { ...base, status: 'classified', predictions, fingerprint: fingerprints[0]! };
  // Redis adds 4 bytes to a text of 32 to 255, and the allocator has pieces of 48 bytes.
  assert.ok(encodeRow(row, 0).length <= 44, `${encodeRow(row, 0).length} bytes`);
});

test('the bucket is the CRC-32 of zip modulo 4', () => {
  // The check value of CRC-32 is 0xcbf43926 for these nine digits; the others are those of Python's zlib.crc32.
  assert.equal(bucketOf('123456789'), 0xcbf43926 % 4);
  assert.deepEqual(
    ['owl.jpg', '猫/😀.jpg', 'a', 'Käuzchen', 'été.png', 'плакат', '😀', '日本/東京'].map(bucketOf),
    [1, 1, 3, 1, 2, 2, 0, 1],
  );
});
