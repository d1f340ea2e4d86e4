// Compose's services as processes: a run through the gateway, watched by Prometheus with our alerts, and shown by our dashboard.
import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { parse } from 'yaml';
import { composeServices, placedHere } from '../support/composeServices.ts';
import { copyPictures, demoModel, repository, startFleet } from '../support/fleet.ts';
import { startGateway } from '../support/gateway.ts';
import { startPrometheus } from '../support/prometheus.ts';
import { freePort, startRedisServer } from '../support/redisServer.ts';
import { until } from '../support/support.ts';

interface Panel {
  title: string;
  targets: { expr: string }[];
}

/** The expressions of the dashboard's panels, over a window that a test has. */
async function panelExpressions(): Promise<string[]> {
  const path = join(repository, 'deploy/grafana/dashboards/clipfleet.json');
  const { panels } = JSON.parse(await readFile(path, 'utf8')) as { panels: Panel[] };
  return panels.flatMap(({ targets }) =>
    targets.map(({ expr }) => expr.replaceAll('$__rate_interval', '30s')),
  );
}

async function alertExpression(name: string): Promise<string> {
  const text = await readFile(join(repository, 'deploy/prometheus/alerts.yml'), 'utf8');
  const { groups } = parse(text) as { groups: { rules: { alert: string; expr: string }[] }[] };
  return groups[0]!.rules.find(({ alert }) => alert === name)!.expr.replaceAll('[5m]', '[5s]');
}

test('a run through the services of compose fills every panel, and an alert is true when the worker dies', async (t) => {
  const services = await composeServices();
  const fleet = await startFleet(t);
  await copyPictures(fleet, 'pictures', 40);
  await writeFile(join(fleet.folder, 'pictures/broken.jpg'), 'no picture');

  // Redis with compose's own settings.
  const { command } = services.redis!;
  assert.equal(command[0], 'redis-server');
  const redis = await startRedisServer(t, command.slice(1));
  const [gatewayPort, workerPort] = [await freePort(), await freePort()];
  const gatewayUrl = `http://127.0.0.1:${gatewayPort}`;
  const places = {
    'redis://redis:6379': redis.url,
    '/app/models/demo': demoModel,
    '/pictures': join(fleet.folder, 'pictures'),
    '--health-host 0.0.0.0': '--health-host 127.0.0.1',
    '8080': String(workerPort),
    'http://gateway:8321': gatewayUrl,
    '/data/': `${join(fleet.folder, 'data')}/`,
  };
  const here = (name: string) => {
    for (const [variable, value] of Object.entries(services[name]!.environment))
      if (/^(REDIS_URL|CLIPFLEET_)/.test(variable)) fleet.env[variable] = placedHere(value, places);
    return placedHere(services[name]!.command.join(' '), places).split(' ');
  };
  const [serve, ...flags] = here('gateway');
  assert.equal(serve, 'serve');
  const own = flags.map((flag) => (flag === '8321' ? String(gatewayPort) : flag));
  const { ask } = await startGateway(fleet, ...own);
  const worker = fleet.start(...here('worker'));
  await until(() => worker.text().stderr.includes('worker ready'), 'the worker is ready', 60_000);

  const scrape = await readFile(join(repository, 'deploy/prometheus/prometheus.yml'), 'utf8');
  assert.match(scrape, /job_name: clipfleet-gateway.*job_name: clipfleet-worker/s);
  const prometheus = await startPrometheus(t, [gatewayPort, workerPort]);

  // A run of pictures and one that is none; a single image; a request that is refused.
  const run = { run: 'r', model: 'demo', labelSet: { labels: ['fox', 'owl'] } };
  const opened = await ask('POST', '/v1/runs', run);
  assert.equal(opened.status, 201, opened.text);
  const names = Array.from({ length: 40 }, (_, i) => i);
  const files = [...names.map((i) => pictureName(i)), 'broken.jpg'];
  const lines = files.map((name) => JSON.stringify({ id: name, uri: name })).join('\n');
  const added = await ask('POST', '/v1/runs/r/images?seal=true', lines);
  assert.equal(added.status, 200, added.text);
  await until(
    async () => (await ask('GET', '/v1/runs/r')).json.state === 'complete',
    'the run is complete',
    60_000,
  );
  const picture = await readFile(join(repository, 'examples/pictures/owl.jpg'));
  const form = new FormData();
  form.append('candidate_labels', 'fox,bear,owl');
  // Large enough to wait in the gateway's folder, where the worker reads it.
  form.append('image', new Blob([picture, Buffer.alloc(300_000)]), 'owl.jpg');
  const one = await fetch(`${gatewayUrl}/v1/classify`, { method: 'POST', body: form });
  assert.equal(((await one.json()) as { label: string }[])[0]?.label, 'owl');
  await ask('GET', '/v1/runs/nobody');

  const expressions = await panelExpressions();
  assert.ok(expressions.length >= 20);
  for (const expression of expressions)
    await until(
      async () => (await prometheus.query(expression)).length > 0,
      `there is a series of ${expression}`,
      60_000,
    );

  // The worker is killed, and images wait that nobody does.
  worker.child.kill('SIGKILL');
  await worker.ended;
  const stands = await alertExpression('ClipfleetQueueStands');
  assert.deepEqual(await prometheus.query(stands), []);
  assert.equal((await ask('POST', '/v1/runs', { ...run, run: 's' })).status, 201);
  await ask('POST', '/v1/runs/s/images?seal=true', lines);
  await until(
    async () => (await prometheus.query(stands))[0] === 41,
    'the alert of a standing queue is true',
    60_000,
  );
  const down = await alertExpression('ClipfleetDown');
  await until(
    async () => (await prometheus.query(down)).length === 1,
    'the alert of a process that is gone is true',
  );
});

function pictureName(i: number): string {
  const names = ['owl.jpg', 'car.jpg', 'cat.webp', 'bear.png', 'fox.jpg', 'dog.jpg'];
  return `${String(i).padStart(4, '0')}-${names[i % names.length]}`;
}
