import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatRuns } from '../../../src/cli/terminal/runsTable.ts';
import { formatWorkers } from '../../../src/cli/terminal/workersTable.ts';
import { type ServingWorker, stages } from '../../../src/shared/fleet/servingWorkers.ts';

const run = {
  run: '20261127-155409-abc123',
  model: 'Xenova/clip-vit-base-patch32@0123456789ab:fp32',
  labelSet: 'l',
  createdAt: '2026-11-27T15:54:09.000Z',
  store: 'redis',
  storeAddress: undefined,
  source: '/srv/photos/of/a/long/journey/2026',
  state: 'cancelled' as const,
  paused: undefined,
  expected: 5_000,
  waiting: 0,
  active: 0,
  classified: 4_800,
  failed: 200,
  skipped: 0,
  duplicates: 0,
  retrying: 0,
  done: 5_000,
  failures: {},
  complete: false,
  ended: true,
};

const labels = ['a photo of a fox', 'a photo of an owl', 'bear', 'cat'];

test('a line a run: when, its name, state, images, labels and source; it fits into 80 columns', () => {
  const wide = formatRuns([run], () => labels).split('\n');
  assert.match(wide[1]!, /^2026-11-\d\d \d\d:\d\d {2}20261127-155409-abc123 {2}cancelled {2}5000 /);
  assert.match(
    wide[1]!,
    /4: a photo of a fox, a photo of an owl, bear, … {2}\/srv\/photos\/of\/a\/long\/journey\/2026 {2}Xenova/,
  );
  for (const columns of [80, 120]) {
    const lines = formatRuns([run], () => labels, columns).split('\n');
    assert.equal(lines.length, 2);
    for (const line of lines) assert.ok(line.length <= columns, `${line.length}: ${line}`);
    assert.match(lines[1]!, /20261127-155409-abc123 {2}cancelled .*4: a/);
  }
});

test('what a run takes of Redis is shown with its unit, as the estimate that it is', () => {
  const cell = (redisBytes: number) => formatRuns([{ ...run, redisBytes }], () => labels).split(/ {2,}/);
  for (const [bytes, text] of [
    [1_234, '~1.2 kB'],
    [999_900, '~1000 kB'],
    [48_700_000, '~49 MB'],
    [3_260_000_000, '~3.3 GB'],
  ] as const)
    assert.ok(cell(bytes).includes(text), text);
});

test('the table of workers fits into 80 columns, the stages below where they have no room beside', () => {
  const times = Object.fromEntries(stages.map((of) => [of, { images: 9, meanMs: 12.345, busy: 0.5 }]));
  const worker = {
    host: 'clipfleet-worker-6f7d9c8b5-x2x7k.pool.example',
    pid: 12_345,
    device: 'cuda:0',
    imagesPerSecond: 1_234.5,
    batches: 3,
    fill: 0.98,
    bottleneck: 'inference',
    stages: times,
  } as unknown as ServingWorker;
  assert.equal(formatWorkers([worker], 1_234.5).split('\n').length, 3);
  const narrow = formatWorkers([worker], 1_234.5, 80);
  for (const line of narrow.split('\n')) assert.ok(line.length <= 80, `${line.length}: ${line}`);
  for (const text of [...stages.map((of) => `${of} ms`), 'cuda:0', '1234.5', '98 %', '12.3'])
    assert.ok(narrow.includes(text), text);
});

test('of a run whose rows are elsewhere the table shows what its ledger says', () => {
  const { failed: _, waiting: __, active: ___, ...elsewhere } = run;
  const cells = formatRuns([elsewhere], () => labels)
    .split('\n')[1]!
    .split(/ {2,}/);
  assert.deepEqual(cells.slice(2, 7), ['cancelled', '5000', '-', '-', '-']);
});
