import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readAccount } from '../../support/account.ts';
import { demoModel, startFleet } from '../../support/fleet.ts';
import { pathsOf, serveHeldImages } from '../../support/heldImages.ts';
import { until } from '../../support/support.ts';

test('label ends when its run is cancelled from elsewhere', async (t) => {
  const fleet = await startFleet(t);
  const { url, asked, letGo } = await serveHeldImages(t);
  const urls = ['/quick.jpg', ...pathsOf('held', 5)].map((path) => url + path);
  const args = [
    '--labels',
    'fox,owl',
    '--model',
    demoModel,
    '--allow-private-addresses',
    '--chunk-size',
    '1',
    '--run',
    'r',
  ];
  const label = fleet.start('label', ...urls, ...args);
  await until(async () => {
    const run = await fleet.producer.runs.get('r');
    const { classified } = await fleet.producer.store.counts('r');
    return run?.state === 'sealed' && classified === 1 && asked.length > 1;
  }, 'all are added, one is done, others have begun');

  assert.equal((await fleet.run('cancel', 'r')).code, 0);
  letGo();
  await until(() => label.child.exitCode !== null, 'label has ended');
  assert.deepEqual(await readAccount(fleet, 'r'), { expected: 6, classified: 1, skipped: 5 });
});
