import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { demoModel, jsonLines, startFleet } from '../../support/fleet.ts';
import { until } from '../../support/support.ts';

interface ReadyLine {
  msg: string;
  batchSize: number;
  threads: number;
  decoders: number;
  from: Record<string, string>;
}

test('tune measures, says and saves; a worker starts with it and says where its settings come from', async (t) => {
  const fleet = await startFleet(t);
  const cacheDir = join(fleet.folder, 'cache');
  fleet.env.CLIPFLEET_CACHE_DIR = cacheDir;

  async function readyLine(...args: string[]): Promise<ReadyLine> {
    const worker = fleet.start('worker', '--model', demoModel, ...args);
    await until(() => worker.text().stderr.includes('worker ready'), 'the worker is ready');
    worker.child.kill('SIGTERM');
    const { stderr } = await worker.ended;
    const lines = jsonLines<ReadyLine>(stderr.replace(/^[^{].*$/gm, ''));
    return lines.find(({ msg }) => msg === 'worker ready')!;
  }

  const before = await readyLine();
  assert.deepEqual(before.from, { batchSize: 'default', threads: 'default', decoders: 'default' });

  const tuned = await fleet.run('tune', '--model', demoModel, '--seconds', '2');
  assert.equal(tuned.code, 0, tuned.stderr);
  const [name] = await readdir(join(cacheDir, 'tuned'));
  const { settings } = JSON.parse(await readFile(join(cacheDir, 'tuned', name!), 'utf8'));
  const { batchSize, threads, decoders } = settings;
  const flags = `--batch-size ${batchSize} --threads ${threads} --decoders ${decoders}`;
  assert.ok(tuned.stdout.includes(`\n${flags}\nSaved in ${join(cacheDir, 'tuned', name!)}: `), tuned.stdout);
  assert.equal(tuned.stdout.match(/ \*/g)?.length, 2, 'the choice is marked in both tables');

  const after = await readyLine('--decoders', '3');
  assert.deepEqual(after.from, { batchSize: 'tuned', threads: 'tuned', decoders: 'given' });
  assert.deepEqual([after.batchSize, after.threads, after.decoders], [batchSize, threads, 3]);
});
