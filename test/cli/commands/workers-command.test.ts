import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import type { ServingWorker } from '../../../src/shared/fleet/servingWorkers.ts';
import { version } from '../../../src/shared/version.ts';
import { copyPictures, demoModel, jsonLines, startFleet } from '../../support/fleet.ts';
import { until } from '../../support/support.ts';

test('workers of all models are listed with their last batch and last error, and watched until a signal', async (t) => {
  const fleet = await startFleet(t);
  assert.equal((await fleet.run('workers')).stdout, 'No worker is there now.\n');
  await copyPictures(fleet, 'few', 3);
  await writeFile(join(fleet.folder, 'few', 'broken.jpg'), '');
  const how = ['--labels', 'fox,owl', '--model', demoModel, '--run', 'r'];
  assert.equal((await fleet.run('enqueue', 'few', ...how)).code, 0);
  const worker = fleet.start('worker', '--model', demoModel, '--log-every-ms', '200');
  const list = async () => jsonLines<ServingWorker>((await fleet.run('workers', '--format', 'jsonl')).stdout);
  const [listed] = (await until(async () => {
    const workers = await list();
    return workers[0]?.lastError && workers[0].lastBatch && workers;
  }, 'it has had a batch and a failed image'))!;
  assert.equal(listed!.pid, worker.child.pid);
  assert.equal(listed!.version, version);
  assert.ok(Date.parse(listed!.startedAt!) <= Date.parse(listed!.lastBatch!.at));
  assert.equal(listed!.lastError!.code, 'IMAGE_EMPTY');
  assert.match(listed!.lastError!.message, /^few\/broken\.jpg: /);
  assert.equal(listed!.inHand, 0);

  const watch = fleet.start('workers', '--watch');
  await until(() => (watch.text().stdout.match(/^1 worker/gm)?.length ?? 0) >= 2, 'it has looked twice');
  watch.child.kill('SIGTERM');
  const { code, stdout } = await watch.ended;
  assert.equal(code, 0);
  assert.match(stdout, /waits for jobs .*IMAGE_EMPTY/);
  assert.ok(!stdout.includes('\u001b'), 'plain lines where it is piped');
});
