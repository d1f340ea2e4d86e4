// Clients that nobody here wrote, and the examples, against a real gateway with keys, a worker and the demo model.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, type TestContext, test } from 'node:test';
import { promisify } from 'node:util';
import { InferenceClient } from '@huggingface/inference';
import { createApiKey } from '../../src/gateway/keys/apiKeys.ts';
import { demoModel, jsonLines, pictures, repository, startFleet } from '../support/fleet.ts';
import { startGateway } from '../support/gateway.ts';
import { until } from '../support/support.ts';
import { neededProgram, venvPython } from '../support/wider.ts';

const owl = join(pictures, 'owl.jpg');
const files = ['owl.jpg', 'bear.png', 'none.jpg'];
const answered = ['owl.jpg owl', 'bear.png bear', 'none.jpg IMAGE_NOT_FOUND'];

let url: string;
let redisUrl: string;
let key: string;

const ends: (() => unknown)[] = [];
after(async () => {
  for (const end of ends.reverse()) await end();
});

/** Served for all tests of the file. */
before(async () => {
  const fleet = await startFleet({ after: (end: () => unknown) => ends.push(end) } as unknown as TestContext);
  const made = createApiKey('clients', ['read', 'enqueue']);
  const keys = join(fleet.folder, 'keys.txt');
  await writeFile(keys, `${made.line}\n`);
  const worker = fleet.start('worker', '--model', demoModel, '--root', pictures);
  ({ url } = await startGateway(fleet, '--api-keys', keys));
  await until(() => worker.text().stderr.includes('worker ready'), 'the worker serves');
  key = made.key;
  redisUrl = `unix://${fleet.redis.options.path}`;
});

/** What a program of the examples prints, line by line. */
async function print(program: string, ...args: string[]): Promise<string[]> {
  const env = { ...process.env, CLIPFLEET_URL: url, CLIPFLEET_KEY: key, PYTHONUTF8: '1' };
  const { stdout } = await promisify(execFile)(program, args, { env, cwd: repository, timeout: 120_000 });
  return stdout.trim().split('\n');
}

test('@huggingface/inference classifies an image', async () => {
  const client = new InferenceClient(key);
  const image = new Blob([await readFile(owl)]);
  const parameters = { candidate_labels: ['fox', 'bear', 'owl'] };
  const endpointUrl = `${url}/v1/classify`;
  const answer = await client.zeroShotImageClassification({ endpointUrl, inputs: { image }, parameters });
  assert.equal(answer[0]?.label, 'owl');
  assert.equal(answer.length, 3);
  const wrong = new InferenceClient('hf_none').zeroShotImageClassification({
    endpointUrl,
    inputs: { image },
    parameters,
  });
  await assert.rejects(wrong, /with a key of this gateway/);
});

test('huggingface_hub classifies images', async () => {
  const lines = await print(venvPython(), 'examples/gateway_huggingface.py', owl, join(pictures, 'bear.png'));
  assert.deepEqual(
    lines.map((line) => line.split(' ')[1]),
    ['owl', 'bear'],
  );
});

test('openai finds the text that is nearest to a picture', async () => {
  const lines = await print(venvPython(), 'examples/gateway_openai.py', owl, join(pictures, 'bear.png'));
  assert.deepEqual(
    lines.map((line) => line.split('of ')[1]),
    ['owl.', 'bear.'],
  );
});

test('openai labels pictures by a batch', async () => {
  const pictured = [owl, join(pictures, 'bear.png'), 'package.json'];
  const lines = await print(venvPython(), 'examples/gateway_batch.py', ...pictured);
  assert.deepEqual(
    lines.map((line) => line.split(' ').at(-1)),
    ['owl', 'bear', 'IMAGE_UNSUPPORTED'],
  );
});

test('requests labels one picture, fills a run and follows its rows', async () => {
  const [first, ...rows] = await print(venvPython(), 'examples/gateway_requests.py', owl, ...files);
  assert.equal(first, `${owl} owl`);
  assert.deepEqual(rows.sort(), answered.toSorted());
});

test('curl labels one picture, fills a run and follows its rows', async () => {
  neededProgram('curl');
  const lines = await print('bash', 'examples/gateway.sh', owl, ...files);
  const [best, opened, added, ...rows] = jsonLines<never>(lines.join('\n')) as unknown as [
    { label: string }[],
    { run: string },
    object,
    ...{ id: string; predictions?: { label: string }[]; error?: { code: string } }[],
  ];
  assert.equal(best[0]?.label, 'owl');
  assert.deepEqual(added, { run: opened.run, added: 3 });
  const shown = rows.map(({ id, predictions, error }) => `${id} ${predictions?.[0]?.label ?? error?.code}`);
  assert.deepEqual(shown.sort(), answered.toSorted());
});

test('the TypeScript example says the same over Redis and over the gateway', async () => {
  const overGateway = await print(process.execPath, 'dist/examples/service.js', owl, ...files);
  assert.deepEqual(overGateway.toSorted(), [`${owl} owl`, ...answered].toSorted());
  const args = ['dist/examples/service.js', owl, ...files];
  const env = { PATH: process.env.PATH, REDIS_URL: redisUrl };
  const { stdout } = await promisify(execFile)(process.execPath, args, {
    env,
    cwd: repository,
    timeout: 120_000,
  });
  assert.deepEqual(stdout.trim().split('\n').sort(), overGateway.toSorted());
});
