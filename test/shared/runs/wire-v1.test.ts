import assert from 'node:assert/strict';
import { test } from 'node:test';
import { labelSetId, parseLabelSet } from '../../../src/shared/labels/labelSet.ts';
import { decodeRow } from '../../../src/shared/rows/rowCodec.ts';
import { parseChunkJob } from '../../../src/shared/runs/chunkJob.ts';
import { decodeRun } from '../../../src/shared/runs/run.ts';
import { parseKept, partOf } from '../../support/keptWire.ts';

/** Holds what is read of each against what the file says it is; each of a file's entries. */
function reads<T extends object>(kept: readonly T[], read: (entry: T) => unknown, content: keyof T): void {
  assert.ok(kept.length > 4, 'the file has its entries');
  for (const entry of kept) {
    assert.deepEqual(partOf(read(entry), entry[content]), entry[content], JSON.stringify(entry));
  }
}

test('a job of version 1 is the chunk that it was', () => {
  reads(parseKept<{ id: string; data: unknown; chunk: object }[]>('jobs.json'), parseChunkJob, 'chunk');
});

test('a label set of version 1 is what it was, under the id that it had', () => {
  const kept = parseKept<{ id: string; stored: string; set: object }[]>('label-sets.json');
  reads(kept, ({ id, stored }) => parseLabelSet(stored, id), 'set');
  for (const { id, stored } of kept) assert.equal(labelSetId(parseLabelSet(stored)), id);
});

test('a row of version 1 says what it said', () => {
  const { fingerprints, rows } = parseKept<{
    fingerprints: string[];
    rows: { stored: string; row: { id: string } }[];
  }>('rows.json');
  const decode = (entry: (typeof rows)[number]) =>
    decodeRow(entry.row.id, Buffer.from(entry.stored, 'hex'), fingerprints);
  reads(rows, decode, 'row');
});

test('the record of a run of version 1 is the run that it was', () => {
  const kept = parseKept<{ stored: Record<string, string>; run: object }[]>('runs.json');
  reads(kept, ({ stored }) => decodeRun('night-7', stored), 'run');
});
