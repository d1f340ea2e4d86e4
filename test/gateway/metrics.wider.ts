// The gateway's metrics, as Prometheus' own tool reads them.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startFleet } from '../support/fleet.ts';
import { startGateway } from '../support/gateway.ts';
import { promtoolFindings } from '../support/prometheus.ts';

test('promtool finds nothing in what the gateway says', async (t) => {
  const { ask } = await startGateway(await startFleet(t));
  await ask('GET', '/v1/runs');
  const { text } = await ask('GET', '/metrics');
  assert.equal(promtoolFindings(text), '');
});
