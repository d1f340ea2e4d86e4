import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readAccount } from '../../support/account.ts';
import { addDemoRun, runCompletes } from '../../support/demoRun.ts';
import { jsonLines, startFleet } from '../../support/fleet.ts';
import { serveHttp } from '../../support/imageServer.ts';
import { owl, startPoliteWorker } from '../../support/politeFleet.ts';

interface Line {
  id: string;
  error?: { code: string };
}

test('retry adds the failed images of the codes asked for; their rows take the place of the failed ones', async (t) => {
  const fleet = await startFleet(t);
  const statuses = new Map<string, number>();
  const asked: string[] = [];
  const url = await serveHttp(t, ({ url: path = '' }, response) => {
    asked.push(path);
    const status = statuses.get(path) ?? 200;
    response.writeHead(status).end(status === 200 ? owl : undefined);
  });
  const paths = Array.from({ length: 12 }, (_, i) => `/${i}.jpg`);
  for (const gone of ['/0.jpg', '/5.jpg', '/9.jpg']) statuses.set(gone, 404);
  for (const shut of ['/2.jpg', '/11.jpg']) statuses.set(shut, 403);
  await addDemoRun(
    fleet,
    'r',
    paths.map((path) => url + path),
    { chunkSize: 4 },
  );
  await startPoliteWorker(fleet);
  const complete = () => runCompletes(fleet, 'r');
  const results = async () => {
    const { stdout } = await fleet.run('results', 'r', '--format', 'jsonl');
    const lines = jsonLines<Line>(stdout);
    assert.deepEqual(
      lines.map(({ id }) => id.slice(url.length)),
      paths,
      'in the order of the input',
    );
    return lines.flatMap(({ id, error }) => (error ? [[id.slice(url.length), error.code]] : []));
  };
  await complete();
  assert.deepEqual(await readAccount(fleet, 'r'), { expected: 12, classified: 7, failed: 5 });

  // One is there again, one is still gone, one may now not be read.
  statuses.delete('/0.jpg');
  statuses.set('/9.jpg', 403);
  asked.length = 0;
  const some = await fleet.run('retry', 'r', '--code', 'IMAGE_NOT_FOUND');
  assert.deepEqual([some.code, some.stdout], [0, '3 failed images added once more\n'], some.stderr);
  await complete();
  assert.deepEqual(asked.toSorted(), ['/0.jpg', '/5.jpg', '/9.jpg']);
  assert.deepEqual(await readAccount(fleet, 'r'), { expected: 12, classified: 8, failed: 4 });
  assert.deepEqual(await results(), [
    ['/2.jpg', 'IMAGE_FORBIDDEN'],
    ['/5.jpg', 'IMAGE_NOT_FOUND'],
    ['/9.jpg', 'IMAGE_FORBIDDEN'],
    ['/11.jpg', 'IMAGE_FORBIDDEN'],
  ]);

  statuses.clear();
  const all = await fleet.run('retry', 'r');
  assert.deepEqual([all.code, all.stdout], [0, '4 failed images added once more\n'], all.stderr);
  await complete();
  assert.deepEqual(await readAccount(fleet, 'r'), { expected: 12, classified: 12 });
  assert.deepEqual(await results(), []);
  assert.equal(asked.length, 7, 'classified images were not asked for again');
});
