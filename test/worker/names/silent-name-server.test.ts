import assert from 'node:assert/strict';
import { test } from 'node:test';
import { copyPictures, type Fleet, startFleet } from '../../support/fleet.ts';
import { serveHttp } from '../../support/imageServer.ts';
import { serveNames } from '../../support/nameServer.ts';
import { addUrls, codeOf, owl, startPoliteWorker } from '../../support/politeFleet.ts';
import { until } from '../../support/support.ts';

const isComplete = (fleet: Fleet, run: string) => async () =>
  (await fleet.producer.runs.get(run))?.state === 'complete';

test('names whose name server is silent hold up and fail no other image, and their hosts are not called down', async (t) => {
  const names = await serveNames(t, (name) => {
    if (name.endsWith('.silent.test')) return 'silent';
    return name === 'good.test' || name === 'later.test' ? { A: '127.0.0.1' } : undefined;
  });
  if (!names) return t.skip('this machine allows no name server of the test’s own');
  const fleet = await startFleet(t);
  fleet.startedBy.push(...names.prefix);
  const { port } = new URL(await serveHttp(t, (_, response) => void response.end(owl)));
  await copyPictures(fleet, 'pictures', 60);
  const silent = Array.from({ length: 60 }, (_, i) => `http://h${i}.silent.test/x.jpg`);
  await startPoliteWorker(fleet, '--host-down-ms', '5000');

  await addUrls(fleet, silent, { chunkSize: 16, run: 'silent' });
  await until(() => names.asked.some((name) => name.endsWith('.silent.test')), 'the name server is asked');
  const web = (name: string) => Array.from({ length: 40 }, (_, i) => `http://${name}:${port}/${i}.jpg`);
  await addUrls(fleet, [...web('good.test'), ...web('later.test')], { chunkSize: 16, run: 'web' });
  const files = ['owl.jpg', 'car.jpg', 'cat.webp', 'bear.png', 'fox.jpg', 'dog.jpg'];
  const paths = Array.from(
    { length: 60 },
    (_, i) => `pictures/${String(i).padStart(4, '0')}-${files[i % 6]}`,
  );
  await addUrls(fleet, paths, { chunkSize: 16, run: 'files' });
  await until(isComplete(fleet, 'files'), 'the files are done', 60_000);
  await until(isComplete(fleet, 'web'), 'the images of names that resolve are done', 60_000);
  const { counts } = fleet.producer.store;
  assert.deepEqual(await counts('files'), { classified: 60, failed: 0, failures: {} });
  assert.deepEqual(await counts('web'), { classified: 80, failed: 0, failures: {} });
  assert.notEqual(
    (await fleet.producer.runs.get('silent'))?.state,
    'complete',
    'which waited for none of those',
  );

  await until(isComplete(fleet, 'silent'), 'the others are given up', 120_000);
  const codes = new Set((await fleet.rows('silent')).map(codeOf));
  assert.deepEqual([...codes], ['HOST_UNRESOLVED']);
});
