import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { openSource } from '../../../src/openSource.ts';
import { findModel } from '../../../src/worker/model/loadModel.ts';
import { checkpointFolder } from '../../support/checkpointGoldens.ts';
import { startOnCpu } from '../../support/cpuModel.ts';
import { pictures, repository } from '../../support/fleet.ts';
import { clipDir, demoDir, hubFleet, modelFiles, towers } from '../../support/hubFleet.ts';
import { sendRange, startHub } from '../../support/hubServer.ts';
import { serveHttp } from '../../support/imageServer.ts';
import { serveS3 } from '../../support/s3Server.ts';
import { temporaryFolder } from '../../support/support.ts';

const me = 'my-archive/1 (me@example.org)';

/** A list with one image over HTTP, and the User-Agents that asked for it. */
async function serveList(t: TestContext): Promise<{ url: string; agents: Set<string | undefined> }> {
  const agents = new Set<string | undefined>();
  const url = await serveHttp(t, (request, response) => {
    agents.add(request.headers['user-agent']);
    sendRange(request, response, Buffer.from('owl.jpg\n'), 'list');
  });
  return { url: `${url}/list.txt`, agents };
}

test('--user-agent goes with the requests for lists, buckets and models too', async (t) => {
  const { fleet, hub } = await hubFleet(t, await modelFiles(demoDir, ['model.safetensors']));
  const s3 = await serveS3(t);
  s3.buckets.photos = { 'owl.jpg': await readFile(join(pictures, 'owl.jpg')) };
  Object.assign(fleet.env, s3.env);
  const { url, agents } = await serveList(t);
  const sources = [url, 's3://photos/'];
  const how = ['--allow-private-addresses', '--model', hub.name, '--labels', 'fox,owl'];
  const { code, stderr } = await fleet.run('enqueue', ...sources, ...how, '--user-agent', me);
  assert.equal(code, 0, stderr);
  assert.match(stderr, /^2 images added/m);
  assert.deepEqual([[...agents], [...s3.agents]], [[me], [me]]);
  assert.ok(hub.seen.length > 0);
  for (const { path, userAgent } of hub.seen) assert.equal(userAgent, me, path);
});

test('a model and its scale are asked for under the name that is given, else under that of this version', async (t) => {
  const files = await modelFiles(clipDir, towers);
  files['model.safetensors'] = await readFile(join(checkpointFolder, 'clip/model.safetensors'));
  const hub = await startHub(t, files);
  const folder = await temporaryFolder(t);
  const env = {
    HF_ENDPOINT: hub.endpoint,
    HF_HUB_CACHE: join(folder, 'hub'),
    XDG_CACHE_HOME: folder,
    NO_PROXY: '127.0.0.1',
  };
  const choice = { model: hub.name, revision: 'main', dtype: 'fp32', userAgent: me } as const;
  const found = await findModel(choice, { env });
  const { session } = await startOnCpu(found, { userAgent: me }, undefined, { env });
  await session.close();
  assert.ok(hub.seenFor('model.safetensors').length > 0);
  assert.deepEqual(new Set(hub.seen.map(({ userAgent }) => userAgent)), new Set([me]));
});

test('without it requests for lists say name and version', async (t) => {
  const { version } = JSON.parse(await readFile(join(repository, 'package.json'), 'utf8'));
  const { url, agents } = await serveList(t);
  for await (const _ of openSource([url], { allowPrivateAddresses: true }));
  assert.deepEqual([...agents], [`clipfleet/${version}`]);
});
