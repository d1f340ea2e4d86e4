// What npm says and does when somebody installs the package or the clone.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import semver from 'semver';
import { repository } from '../support/fleet.ts';
import { serveHttp } from '../support/imageServer.ts';
import { temporaryFolder } from '../support/support.ts';

/** What the preinstall script says where onnxruntime-node would download something from a feed, and its exit code. */
async function beforeInstall(t: TestContext, feed: string, env: Record<string, string> = {}) {
  const metadata = join(await temporaryFolder(t), 'install-metadata.json');
  const requirements = { [`${process.platform}/${process.arch}`]: ['cuda'] };
  writeFileSync(metadata, JSON.stringify({ requirements, feeds: { nuget: { index: feed } } }));
  const script = join(repository, 'scripts/beforeInstall.mjs');
  const child = spawn(process.execPath, [script, metadata], { env: { PATH: process.env.PATH, ...env } });
  let stderr = '';
  child.stderr.setEncoding('utf8').on('data', (piece: string) => {
    stderr += piece;
  });
  const [code] = await once(child, 'close');
  return { code, stderr };
}

/** An address at which nobody listens any more. */
async function closedAddress(): Promise<string> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return `http://127.0.0.1:${port}/`;
}

test('an install that would fail at the CUDA libraries names the switch first', async (t) => {
  const { code, stderr } = await beforeInstall(t, await closedAddress());
  assert.equal(code, 1);
  assert.match(stderr, /ONNXRUNTIME_NODE_INSTALL=skip/);
  assert.match(stderr, /--ignore-scripts/);
});

test('an install goes on where the CUDA libraries can be had, or where the switch is set', async (t) => {
  const url = await serveHttp(t, (_, response) => response.writeHead(404).end());
  assert.deepEqual(await beforeInstall(t, url), { code: 0, stderr: '' });
  const switched = { ONNXRUNTIME_NODE_INSTALL: 'skip' };
  assert.deepEqual(await beforeInstall(t, await closedAddress(), switched), { code: 0, stderr: '' });
});

test('what the script reads of onnxruntime-node is there in the version that is installed', () => {
  const require = createRequire(import.meta.url);
  const { requirements, feeds } = require('onnxruntime-node/script/install-metadata.js');
  assert.deepEqual(requirements['linux/x64'], ['cuda12']);
  assert.match(feeds.nuget.index, /^https:/);
});

test('each dependency supports the lowest Node version of each line that the package supports', () => {
  const { packages } = JSON.parse(readFileSync(join(repository, 'package-lock.json'), 'utf8'));
  const engines = packages[''].engines.node as string;
  const lowest = engines.split('||').map((range) => semver.minVersion(range)!.version);
  const refusing = Object.entries<{ engines?: { node?: string }; optional?: boolean }>(packages)
    .filter(([, { engines, optional }]) => engines?.node && !optional)
    .filter(([, { engines }]) => !lowest.every((version) => semver.satisfies(version, engines!.node!)))
    .map(([path, { engines }]) => `${path}: ${engines!.node}`);
  assert.deepEqual(refusing, []);
});
