import assert from 'node:assert/strict';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { rememberFitting } from '../../../src/worker/session/fittingBatch.ts';
import { resolveSettings } from '../../../src/worker/session/settings.ts';
import { saveTuned } from '../../../src/worker/session/tuned.ts';
import { temporaryFolder } from '../../support/support.ts';

const settings = { batchSize: 8, threads: 3, decoders: 5 };
const of = { fingerprint: 'f'.repeat(64), device: 'cpu', cores: 6 };

test('what is given wins over what was tuned, that over the default of the device', async (t) => {
  const cacheDir = await temporaryFolder(t);
  const unknown = await resolveSettings({ ...of, cacheDir, given: { threads: 2 } });
  assert.deepEqual(unknown.settings, { batchSize: 16, threads: 2, decoders: 6 });
  assert.deepEqual(unknown.from, { batchSize: 'default', threads: 'given', decoders: 'default' });
  assert.equal(
    (await resolveSettings({ ...of, device: 'cuda', cacheDir, given: {} })).settings.batchSize,
    64,
  );

  await saveTuned(cacheDir, of, settings, 100);
  const tuned = await resolveSettings({ ...of, cacheDir, given: { threads: 2 } });
  assert.deepEqual(tuned.settings, { ...settings, threads: 2 });
  assert.deepEqual(tuned.from, { batchSize: 'tuned', threads: 'given', decoders: 'tuned' });
});

test('what was tuned for another model, device or number of cores is not used', async (t) => {
  const cacheDir = await temporaryFolder(t);
  await saveTuned(cacheDir, of, settings, 100);
  for (const other of [{ fingerprint: 'e'.repeat(64) }, { device: 'cuda:0' }, { cores: 7 }]) {
    const { from } = await resolveSettings({ ...of, ...other, cacheDir, given: {} });
    assert.deepEqual(Object.values(from), ['default', 'default', 'default'], JSON.stringify(other));
  }
});

test('the cards of a machine share what was tuned on one of them', async (t) => {
  const cacheDir = await temporaryFolder(t);
  await saveTuned(cacheDir, { ...of, device: 'cuda:0' }, settings, 100);
  const second = await resolveSettings({ ...of, device: 'cuda:1', cacheDir, given: {} });
  assert.deepEqual(second.settings, settings);
});

test('a file that cannot be read, or says something else, is named in a warning and ignored', async (t) => {
  const cacheDir = await temporaryFolder(t);
  const path = await saveTuned(cacheDir, of, settings, 100);
  const saved = JSON.parse(await readFile(path, 'utf8'));
  const faults = [
    '{"version": 2, "settings',
    '[]',
    JSON.stringify({ ...saved, version: 1 }),
    JSON.stringify({ ...saved, settings: { ...settings, batchSize: 0 } }),
    JSON.stringify({ ...saved, fingerprint: 'e'.repeat(64) }),
  ];
  for (const text of faults) {
    await writeFile(path, text);
    const warnings: string[] = [];
    const onWarning = (warning: string) => warnings.push(warning);
    const { from } = await resolveSettings({ ...of, cacheDir, given: {}, onWarning });
    assert.equal(from.batchSize, 'default', text);
    assert.equal(warnings.length, 1, text);
    assert.ok(warnings[0]!.startsWith(`${path} is ignored: `), warnings[0]);
  }
});

test('saving again replaces the file and leaves nothing else behind', async (t) => {
  const cacheDir = await temporaryFolder(t);
  await saveTuned(cacheDir, of, settings, 100);
  await saveTuned(cacheDir, of, { ...settings, batchSize: 32 }, 100);
  assert.equal((await readdir(join(cacheDir, 'tuned'))).length, 1);
  assert.equal((await resolveSettings({ ...of, cacheDir, given: {} })).settings.batchSize, 32);
});

test('what an earlier process found to fit into memory bounds each source, and is said each time', async (t) => {
  const cacheDir = await temporaryFolder(t);
  const warnings: string[] = [];
  const resolve = (given: { batchSize?: number }) =>
    resolveSettings({ ...of, cacheDir, given, onWarning: (warning) => warnings.push(warning) });
  const path = await rememberFitting({ ...of, cacheDir }, 12);
  const bounded = await resolve({ batchSize: 64 });
  assert.deepEqual([bounded.settings.batchSize, bounded.from.batchSize], [12, 'fitting']);
  assert.match(warnings[0]!, /Batches are of 12 images, not of 64: .*delete/);
  assert.ok(warnings[0]!.includes(path));
  const small = await resolve({ batchSize: 4 });
  assert.deepEqual([small.settings.batchSize, small.from.batchSize, warnings.length], [4, 'given', 1]);
  const other = await resolveSettings({ ...of, device: 'cuda', cacheDir, given: {} });
  assert.equal(other.settings.batchSize, 64, 'another device has its own');
  await writeFile(path, 'no JSON');
  assert.equal((await resolve({ batchSize: 64 })).settings.batchSize, 64);
});
