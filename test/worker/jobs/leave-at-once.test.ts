import assert from 'node:assert/strict';
import { test } from 'node:test';
import { demoModel, startFleet } from '../../support/fleet.ts';
import { serveHttp } from '../../support/imageServer.ts';
import { until } from '../../support/support.ts';

test('a second Ctrl-C leaves at once, in the middle of an image, and the run can be continued', async (t) => {
  const fleet = await startFleet(t);
  let requests = 0;
  const url = await serveHttp(t, () => {
    requests++;
  });
  const args = ['--labels', 'fox,owl', '--model', demoModel, '--run', 'r', '--allow-private-addresses'];
  const label = fleet.start('label', `${url}/never.jpg`, ...args);
  await until(() => requests === 1, 'the image is being fetched');
  label.child.kill('SIGINT');
  await until(() => label.text().stderr.includes('continue with --run r'), 'it says that it drains');
  label.child.kill('SIGINT');
  await label.ended;
  assert.equal(label.child.signalCode, 'SIGINT');

  const again = await fleet.run(
    'label',
    `${url}/never.jpg`,
    ...args,
    '--fetch-timeout-ms',
    '100',
    '--attempts',
    '1',
  );
  assert.equal(again.code, 2, again.stderr);
  const rows = await fleet.rows('r');
  assert.deepEqual(
    rows.map((row) => row.status === 'failed' && row.error.code),
    ['FETCH_TIMEOUT'],
  );
});
