import assert from 'node:assert/strict';
import { copyFile, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { demoModel, jsonLines, pictures, startFleet } from '../../support/fleet.ts';

test('a file that the model has seen is not decoded again, by another worker and under another name', async (t) => {
  const fleet = await startFleet(t);
  const cache = join(fleet.folder, 'cache');
  async function label(folder: string, names: Record<string, string>) {
    await mkdir(join(fleet.folder, folder));
    for (const [name, picture] of Object.entries(names))
      await copyFile(join(pictures, picture), join(fleet.folder, folder, name));
    const how = ['--model', demoModel, '--embedding-cache-dir', cache, '--log-level', 'debug'];
    const worker = fleet.start('worker', ...how);
    const what = ['--model', demoModel, '--labels', 'owl,car,fox', '--run', folder, '--top-k', '3'];
    const enqueued = await fleet.run('enqueue', folder, ...what);
    assert.equal(enqueued.code, 0, enqueued.stderr);
    await fleet.producer.waitFor(folder);
    worker.child.kill('SIGTERM');
    const said = jsonLines<{ msg: string; images: number }>(
      (await worker.ended).stderr.replace(/^[^{].*$/gm, ''),
    );
    const batches = said.filter(({ msg }) => msg === 'batch');
    const rows = await fleet.rows(folder);
    return {
      embedded: batches.reduce((sum, { images }) => sum + images, 0),
      scores: Object.fromEntries(
        rows.map((row) => [row.id.split('/')[1], row.status === 'classified' && row.predictions]),
      ),
    };
  }
  const first = await label('first', { 'a.jpg': 'owl.jpg', 'b.jpg': 'car.jpg' });
  assert.equal(first.embedded, 2);
  const second = await label('second', { 'c.jpg': 'owl.jpg', 'd.jpg': 'car.jpg', 'e.jpg': 'fox.jpg' });
  assert.equal(second.embedded, 1);
  assert.deepEqual(second.scores['c.jpg'], first.scores['a.jpg']);
  assert.deepEqual(second.scores['d.jpg'], first.scores['b.jpg']);
});
