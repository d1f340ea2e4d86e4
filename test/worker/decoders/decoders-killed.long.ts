import { test } from 'node:test';
import { startFleet } from '../../support/fleet.ts';
import { classifyWhileKilling } from '../../support/killDecoders.ts';

const onlyLinux = process.platform === 'linux' ? false : 'processes are found in /proc';

test('200 decoders killed in a run of 5,000 images cost no image', { skip: onlyLinux }, async (t) => {
  await classifyWhileKilling(await startFleet(t), 5_000, 200);
});
