import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import type { ResultsStore } from '../../src/shared/rows/resultsStore.ts';
import type { Row } from '../../src/shared/rows/row.ts';

const base = { uri: 'pictures/a.jpg', place: { chunk: 0, index: 0 }, at: 1_767_225_600 };

function classified(id: string, index: number, generation = 0, fingerprint = 'f'): Row {
  const predictions = [{ index, score: 0.75 }];
  return { ...base, id, generation, status: 'classified', predictions, fingerprint };
}

function failed(id: string, generation = 0): Row {
  return { ...base, id, generation, status: 'failed', error: { code: 'IMAGE_EMPTY', message: 'zero bytes' } };
}

const byId = (a: Row, b: Row) => (a.id < b.id ? -1 : 1);

/**
 * What every results store must do; each implementation calls this with itself.
 *
 * @param sayBirth makes runs' records, where the store asks those, say this birth from now on; it is `b` at first
 */
export function testResultsStore(
  name: string,
  open: (t: TestContext) => Promise<ResultsStore>,
  sayBirth: (birth: string) => void = () => {},
): void {
  const allRows = async (store: ResultsStore, run: string) => {
    const rows: Row[] = [];
    let cursor: string | undefined;
    do {
      const page = await store.getRows(run, cursor);
      rows.push(...page.rows);
      cursor = page.cursor;
    } while (cursor !== undefined);
    return rows;
  };

  test(`${name}: rows come back as they were written, counted once`, async (t) => {
    const store = await open(t);
    const rows = [classified('猫/😀.jpg', 99_999), failed('b'), classified('constructor', 0)];
    await store.putRows('r', rows);
    await store.putRows('r', rows);
    assert.deepEqual((await allRows(store, 'r')).sort(byId), rows.sort(byId));
    assert.deepEqual(await store.counts('r'), { classified: 2, failed: 1, failures: { IMAGE_EMPTY: 1 } });
  });

  test(`${name}: runs do not see each other's rows`, async (t) => {
    const store = await open(t);
    await store.putRows('r', [classified('a', 0)]);
    assert.deepEqual(await allRows(store, 'other'), []);
    assert.deepEqual(await store.counts('other'), { classified: 0, failed: 0, failures: {} });
  });

  test(`${name}: the first of two equal rows stays`, async (t) => {
    const store = await open(t);
    await store.putRows('r', [classified('a', 1)]);
    await store.putRows('r', [classified('a', 2)]);
    const [row] = await allRows(store, 'r');
    assert.equal(row?.status === 'classified' && row.predictions[0]?.index, 1);
  });

  test(`${name}: classified wins over failed, whichever comes first`, async (t) => {
    const store = await open(t);
    await store.putRows('r', [failed('a'), classified('b', 0)]);
    await store.putRows('r', [classified('a', 0), failed('b')]);
    assert.deepEqual(
      (await allRows(store, 'r')).map(({ status }) => status),
      ['classified', 'classified'],
    );
    assert.deepEqual(await store.counts('r'), { classified: 2, failed: 0, failures: {} });
  });

  test(`${name}: of one chunk some rows are new, some replace another, and some are not written`, async (t) => {
    const store = await open(t);
    await store.putRows('r', [failed('a'), classified('b', 1), classified('c', 1)]);
    await store.putRows('r', [classified('a', 1), classified('b', 2), failed('c'), classified('d', 1)]);
    const there = ['a', 'b', 'c', 'd'].map((id) => classified(id, 1));
    assert.deepEqual((await allRows(store, 'r')).sort(byId), there);
    assert.deepEqual(await store.counts('r'), { classified: 4, failed: 0, failures: {} });
    await store.putRows('r', []);
  });

  test(`${name}: of rows of one image that are put together the highest stays, counted once`, async (t) => {
    const store = await open(t);
    await store.putRows('r', [failed('a'), classified('a', 1), classified('a', 2)]);
    assert.deepEqual(await allRows(store, 'r'), [classified('a', 1)]);
    assert.deepEqual(await store.counts('r'), { classified: 1, failed: 0, failures: {} });
  });

  test(`${name}: each row keeps the fingerprint of the model that made it`, async (t) => {
    const store = await open(t);
    const ids = Array.from({ length: 100 }, (_, i) => `${i}`);
    const rowOf = (id: string) => classified(id, 0, 0, `model-${Number(id) % 3}`);
    await store.putRows('r', ids.slice(0, 50).map(rowOf));
    await store.putRows('r', ids.slice(50).map(rowOf));
    const rows = await allRows(store, 'r');
    assert.deepEqual(await store.counts('r'), { classified: 100, failed: 0, failures: {} });
    const byId = (a: Row, b: Row) => Number(a.id) - Number(b.id);
    assert.deepEqual(rows.sort(byId), ids.map(rowOf));
  });

  test(`${name}: a higher generation wins, also a failed one over a classified one`, async (t) => {
    const store = await open(t);
    await store.putRows('r', [classified('a', 0, 0)]);
    await store.putRows('r', [failed('a', 10)]);
    await store.putRows('r', [classified('a', 0, 9)]);
    const [row] = await allRows(store, 'r');
    assert.deepEqual([row?.status, row?.generation], ['failed', 10]);
    assert.deepEqual(await store.counts('r'), { classified: 0, failed: 1, failures: { IMAGE_EMPTY: 1 } });
  });

  test(`${name}: find tells generation and place of the rows there are`, async (t) => {
    const store = await open(t);
    const place = { chunk: 70_000, index: 255 };
    await store.putRows('r', [{ ...classified('a', 0, 1), place }, failed('b')]);
    assert.deepEqual(
      await store.find('r', ['a', 'b', 'c']),
      new Map([
        ['a', { generation: 1, place }],
        ['b', { generation: 0, place: base.place }],
      ]),
    );
  });

  test(`${name}: failures are counted by their code, also when one takes the place of another`, async (t) => {
    const store = await open(t);
    const again = { ...failed('a', 1), error: { code: 'FETCH_TIMEOUT' as const, message: 'slow' } } as Row;
    await store.putRows('r', [failed('a'), failed('b')]);
    await store.putRows('r', [again]);
    const failures = { IMAGE_EMPTY: 1, FETCH_TIMEOUT: 1 };
    assert.deepEqual(await store.counts('r'), { classified: 0, failed: 2, failures });
    await store.putRows('r', [classified('a', 0, 2)]);
    assert.deepEqual(await store.counts('r'), { classified: 1, failed: 1, failures: { IMAGE_EMPTY: 1 } });
  });

  test(`${name}: a run that takes no more refuses rows, those that would replace one too`, async (t) => {
    const store = await open(t);
    await store.putRows('r', [failed('a')]);
    await store.refuse('r');
    await store.putRows('r', [classified('a', 0), classified('b', 0)]);
    assert.deepEqual(await allRows(store, 'r'), [failed('a')]);
    assert.deepEqual(await store.counts('r'), { classified: 0, failed: 1, failures: { IMAGE_EMPTY: 1 } });
    await store.putRows('other', [failed('a')]);
    assert.deepEqual(await allRows(store, 'other'), [failed('a')]);
  });

  test(`${name}: late rows of a run that is gone do not enter the run that has its id since`, async (t) => {
    const store = await open(t);
    const [gone, now] = [
      { run: 'r', birth: 'b' },
      { run: 'r', birth: 'c' },
    ];
    await store.bear(gone);
    await store.putRows(gone, [classified('a', 1)]);
    await store.putRows(now, [classified('b', 1)]);
    assert.deepEqual(await allRows(store, 'r'), [classified('a', 1)], 'nobody has said this birth yet');
    for (const isRemoved of [true, false]) {
      if (isRemoved) await store.remove('r');
      sayBirth('c');
      await store.bear(now);
      await store.putRows(gone, [classified('late', 1)]);
      assert.deepEqual(await allRows(store, 'r'), isRemoved ? [] : [classified('new', 1)]);
      await store.putRows(now, [classified('new', 1)]);
      assert.deepEqual(await allRows(store, 'r'), [classified('new', 1)]);
      assert.equal((await store.counts('r')).classified, 1);
    }
    sayBirth('b');
  });

  test(`${name}: recounting agrees with the counts; removing leaves nothing`, async (t) => {
    const store = await open(t);
    await store.putRows('r', [failed('a'), classified('b', 0), classified('c', 0)]);
    const there = { classified: 2, failed: 1, failures: { IMAGE_EMPTY: 1 } };
    const { stored, counted, unreadable = [] } = await store.recount('r', true);
    assert.deepEqual({ stored, counted, unreadable }, { stored: there, counted: there, unreadable: [] });
    assert.deepEqual(await store.counts('r'), there);
    await store.remove('r');
    assert.deepEqual(await allRows(store, 'r'), []);
    assert.deepEqual(await store.counts('r'), { classified: 0, failed: 0, failures: {} });
  });

  test(`${name}: every text and every output of a label set comes back, and rows without a prediction`, async (t) => {
    const store = await open(t);
    // Long, and nothing that compresses.
    const long = Array.from({ length: 1_024 }, (_, i) =>
      String.fromCharCode(0x4e00 + ((i * 7_919) % 20_000)),
    ).join('');
    const texts = ['\0', 'a\0b', long, '\'; \\ "{},', 'NULL', ' ', '\u{10ffff}'];
    const outputs = [
      { index: 3, score: 0.5, logit: -2.25, cosine: 0.125 },
      { index: 1, score: 0.25, logit: -8, cosine: 0.0625 },
    ];
    const rows: Row[] = [
      ...texts.map((id) => ({ ...classified(id, 1), uri: id.replaceAll('\0', '') || 'none' })),
      { ...classified('outputs', 0), predictions: outputs } as Row,
      { ...classified('cosine', 0), predictions: [{ index: 7, score: 1, cosine: 1 }] } as Row,
      { ...classified('none', 0), predictions: [] } as Row,
      { ...failed('message'), error: { code: 'IMAGE_CORRUPT', message: '\\x00 "NULL" {}' } } as Row,
    ];
    await store.putRows('r', rows);
    assert.deepEqual((await allRows(store, 'r')).sort(byId), rows.sort(byId));
    assert.deepEqual([...(await store.find('r', texts)).keys()].sort(), texts.sort());
    for (const row of rows) assert.deepEqual(await store.getRow('r', row.id), row);
    assert.equal(await store.getRow('r', 'other'), undefined);
    assert.equal(await store.getRow('other', 'none'), undefined);
  });

  test(`${name}: of rows that are written while the run is refused, those there are are counted, and no more come`, async (t) => {
    const store = await open(t);
    const rowsOf = (from: number) => Array.from({ length: 50 }, (_, i) => classified(`${from + i}`, 0));
    const writing = Array.from({ length: 40 }, (_, i) => store.putRows('r', rowsOf(50 * i)));
    await writing[3];
    await store.refuse('r');
    const there = await store.counts('r');
    await Promise.all(writing);
    await store.putRows('r', rowsOf(100_000));
    assert.deepEqual(await store.counts('r'), there);
    assert.equal((await allRows(store, 'r')).length, there.classified);
    assert.ok(there.classified >= 200);
  });

  test(`${name}: pages hold every row of many`, async (t) => {
    const store = await open(t);
    const rows = Array.from({ length: 20_000 }, (_, i) => classified(`image-${i}`, 0));
    for (let from = 0; from < rows.length; from += 500)
      await store.putRows('r', rows.slice(from, from + 500));
    const ids = new Set((await allRows(store, 'r')).map(({ id }) => id));
    assert.equal(ids.size, rows.length);
    assert.deepEqual(await store.counts('r'), { classified: rows.length, failed: 0, failures: {} });
  });
}
