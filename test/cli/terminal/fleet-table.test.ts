import assert from 'node:assert/strict';
import { test } from 'node:test';
import stringWidth from 'string-width';
import { formatFleet } from '../../../src/cli/terminal/fleetTable.ts';
import type { ServingWorker } from '../../../src/shared/fleet/servingWorkers.ts';

const now = Date.parse('2026-11-28T12:00:00Z');
const ago = (seconds: number) => new Date(now - 1_000 * seconds).toISOString();

const worker = {
  ...{ worker: 'w', host: 'gpu-machine-17.example', pid: 1234, device: 'cuda:1' },
  ...{ model: 'Xenova/clip-vit-base-patch32@0123456789ab:fp32', at: ago(1), images: 640 },
  ...{ imagesPerSecond: 64, inHand: 192, bottleneck: 'session', startedAt: ago(3 * 86_400) },
  lastBatch: { at: ago(1), images: 64 },
  lastError: {
    at: ago(600),
    code: 'FETCH_FAILED',
    message: `https://example.org/a.jpg: ${'HTTP 500 '.repeat(20)}`,
  },
} as unknown as ServingWorker;

/** As an older version wrote it. */
const older = {
  ...{ worker: 'v', host: 'h', pid: 7, device: 'cpu', model: 'demo@0:fp32', at: ago(1), images: 0 },
  ...{ imagesPerSecond: 0, bottleneck: 'idle' },
} as unknown as ServingWorker;

test('a worker says since when, how fast, what it does, its last batch and its last error', () => {
  const [head, first, second, sum] = formatFleet([worker, older], now).split('\n');
  assert.match(head!, /^worker +device +model +for +images\/s +in hand +doing +last batch +last error$/);
  assert.match(
    first!,
    /^gpu-machine-17\.example:1234 .* 3 d +64\.0 +192 +session +64, 1 s ago +10 min ago: FETCH_FAILED /,
  );
  assert.match(second!, /^h:7 +cpu +demo@0:fp32 +- +0\.0 +- +waits for jobs +- +-$/);
  assert.match(sum!, /^2 workers +64\.0$/);
  assert.equal(formatFleet([], now), 'No worker is there now.');
});

test('the table fits into 80, 120 and 200 columns', () => {
  for (const columns of [80, 120, 200]) {
    const text = formatFleet([worker, older], now, columns);
    for (const line of text.split('\n')) assert.ok(stringWidth(line) <= columns, `${columns}: ${line}`);
    assert.match(text, /10 min ago: FETCH_FAILED/, `${columns}`);
  }
});
