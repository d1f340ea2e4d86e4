import { test } from 'node:test';
import { startFleet } from '../../support/fleet.ts';
import { classifyWhileKilling } from '../../support/killDecoders.ts';

const onlyLinux = process.platform === 'linux' ? false : 'processes are found in /proc';

test('decoders killed at random in a run cost no image', { skip: onlyLinux }, async (t) => {
  await classifyWhileKilling(await startFleet(t), 300, 12);
});
