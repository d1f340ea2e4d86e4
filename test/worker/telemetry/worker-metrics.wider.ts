// A worker's numbers, read by Prometheus itself.
import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { copyPictures, demoModel, startFleet } from '../../support/fleet.ts';
import { promtoolFindings, startPrometheus } from '../../support/prometheus.ts';
import { until } from '../../support/support.ts';

test('Prometheus scrapes a worker while it labels, and promtool finds nothing in what it says', async (t) => {
  const fleet = await startFleet(t);
  const worker = fleet.start('worker', '--model', demoModel, '--health-port', '0');
  const said = () => /"healthPort":(\d+)/.exec(worker.text().stderr)?.[1];
  await until(() => said() !== undefined, 'the worker says its port');
  const port = Number(said());
  const prometheus = await startPrometheus(t, [port]);
  await until(
    async () => (await prometheus.query('clipfleet_worker_ready'))[0] === 1,
    'it is scraped, ready',
  );

  await copyPictures(fleet, 'pictures', 24);
  await writeFile(join(fleet.folder, 'pictures/broken.jpg'), 'no picture');
  const enqueue = ['--labels', 'fox,owl', '--model', demoModel, '--run', 'r'];
  const added = await fleet.run('enqueue', 'pictures', ...enqueue);
  assert.equal(added.code, 0, added.stderr);
  const images = (status: string) => prometheus.query(`sum(clipfleet_images_total{status="${status}"})`);
  await until(async () => (await images('classified'))[0] === 24, 'all images are counted', 60_000);
  await until(async () => (await images('failed'))[0] === 1, 'so is the one that failed', 60_000);
  assert.deepEqual(await prometheus.query('clipfleet_stage_duration_seconds_count{stage="inference"}'), [24]);
  const rate =
    'histogram_quantile(0.5, sum by (le, stage) (clipfleet_stage_duration_seconds_bucket{stage="decode"}))';
  const [median] = await prometheus.query(rate);
  assert.ok(median! > 0 && median! < 30, `${median} s`);

  const text = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
  assert.equal(promtoolFindings(text), '');
  assert.notEqual(promtoolFindings('# TYPE clipfleet_images counter\nclipfleet_images 1\n'), '');
});
