import assert from 'node:assert/strict';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { parse } from 'csv-parse/sync';
import { addDemoRun, openDemoRun } from '../../support/demoRun.ts';
import { copyPictures, demoModel, jsonLines, startFleet } from '../../support/fleet.ts';
import { until } from '../../support/support.ts';

test('a run is exported, chosen, joined with its list, and followed while it goes on', async (t) => {
  const fleet = await startFleet(t);
  await copyPictures(fleet, 'pictures', 6);
  const names = await readdir(join(fleet.folder, 'pictures'));
  const list = names.map((name, i) => `pictures/${name},p${i},"owner, ${i}"`);
  await writeFile(join(fleet.folder, 'list.csv'), ['file_name,id,owner', ...list].join('\n'));
  const labels = ['--model', demoModel, '--labels', 'fox,owl', '--top-k', 'all'];
  const labeled = await fleet.run('label', 'list.csv', ...labels, '--run', 'r', '--output', 'all.npy');
  assert.equal(labeled.code, 0, labeled.stderr);
  const shape = (await readFile(join(fleet.folder, 'all.npy/scores/scores_0.npy'))).toString(
    'latin1',
    0,
    128,
  );
  assert.match(shape, /'descr': '<f4'.*'shape': \(6, 2\)/);

  const exported = await fleet.run(
    'export',
    'r',
    '-o',
    'rows.csv',
    '--join',
    'list.csv',
    '--sort',
    'uncertainty',
  );
  assert.equal(exported.code, 0, exported.stderr);
  assert.match(exported.stderr, /6\/6 images.*\n6 rows written to rows\.csv\./s);
  const rows = parse<Record<string, string>>(await readFile(join(fleet.folder, 'rows.csv'), 'utf8'), {
    columns: true,
  });
  assert.deepEqual(
    rows.map(({ owner }) => owner).sort(),
    list.map((_, i) => `owner, ${i}`),
  );
  for (const { id, owner } of rows) assert.equal(owner, `owner, ${id!.slice(1)}`);
  const scores = rows.map(({ score }) => Number(score));
  assert.deepEqual(scores, [...scores].sort());

  const refused = await fleet.run('export', 'r', '-o', 'list.csv', '--join', 'list.csv', '--force');
  assert.match(refused.stderr, /USAGE: Expected another file for the rows than an input/);

  const open = await openDemoRun(fleet, 'open');
  await open.add([{ id: 'a', uri: 'pictures/none.jpg' }], { chunkSize: 1 });
  const following = fleet.start('export', 'open', '-o', 'open.jsonl', '--follow');
  const worker = fleet.start('worker', '--model', demoModel);
  const soFar = async () =>
    jsonLines(await readFile(join(fleet.folder, 'open.jsonl'), 'utf8').catch(() => ''));
  await until(async () => (await soFar()).length === 1, 'the first row is exported while the run is open');
  assert.equal(following.child.exitCode, null);
  await open.add([{ id: 'b', uri: `pictures/${names[0]}` }], { chunkSize: 1 });
  await open.seal();
  await open.close();
  const ended = await following.ended;
  assert.deepEqual([ended.code, (await soFar()).map(({ id }) => id)], [0, ['a', 'b']], ended.stderr);
  worker.child.kill('SIGTERM');
  await worker.ended;
});

test('an image that is tried again is exported again, with its generation', async (t) => {
  const fleet = await startFleet(t);
  await addDemoRun(fleet, 'r', ['none.jpg'], {});
  const worker = fleet.start('worker', '--model', demoModel);
  const groups: string[][] = [];
  const reader = new AbortController();
  await until(async () => (await fleet.producer.progress('r')).complete, 'the image has failed');
  await copyPictures(fleet, 'pictures', 1);
  worker.child.kill('SIGTERM');
  await worker.ended;
  await fleet.producer.retry('r');
  const reading = (async () => {
    for await (const rows of fleet.producer.newRows('r', { signal: reader.signal }))
      if (rows.length > 0) groups.push(rows.map(({ generation, status }) => `${generation} ${status}`));
  })();
  await until(() => groups.length === 1, 'the failed row is read');
  const [picture] = await readdir(join(fleet.folder, 'pictures'));
  const bytes = await readFile(join(fleet.folder, 'pictures', picture!));
  await writeFile(join(fleet.folder, 'none.jpg'), bytes);
  const second = fleet.start('worker', '--model', demoModel);
  await reading;
  assert.deepEqual(groups, [['0 failed'], ['1 classified']]);
  second.child.kill('SIGTERM');
  await second.ended;
});
