import assert from 'node:assert/strict';
import { test } from 'node:test';
import { copyPictures, demoModel, startFleet } from '../../support/fleet.ts';
import { until } from '../../support/support.ts';

const COUNT = 400;

for (const [signal, exitCode] of [
  ['SIGINT', 130],
  ['SIGKILL', null],
] as const) {
  test(`a run of label that ${signal} cut off is continued and ends with each row once`, async (t) => {
    const fleet = await startFleet(t);
    await copyPictures(fleet, 'many', COUNT);
    const args = [
      'many',
      '--labels',
      'fox,bear,owl',
      '--model',
      demoModel,
      '--run',
      'r',
      '--chunk-size',
      '8',
    ];
    const first = fleet.start('label', ...args);
    await until(async () => (await fleet.producer.store.counts('r')).classified > 0, 'there are rows');
    first.child.kill(signal);
    const { code } = await first.ended;
    assert.equal(code, exitCode);
    const { classified } = await fleet.producer.store.counts('r');
    assert.ok(classified < COUNT, 'cut off in the middle');

    const second = await fleet.run('label', ...args);
    assert.equal(second.code, 0, second.stderr);
    const rows = await fleet.rows('r');
    assert.equal(rows.length, COUNT);
    assert.equal((await fleet.producer.runs.get('r'))?.images, COUNT);
  });
}
