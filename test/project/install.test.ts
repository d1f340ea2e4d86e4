// What npm says and does when somebody installs the package or the clone.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import semver from 'semver';
import { repository } from '../support/fleet.ts';
import { serveHttp } from '../support/imageServer.ts';

const onlyThere =
  process.platform === 'linux' && process.arch === 'x64'
    ? false
    : 'no CUDA libraries are downloaded on this machine';

/** What the preinstall script says of a feed, and its exit code. */
function beforeInstall(feed: string, env: Record<string, string> = {}) {
  const script = join(repository, 'scripts/beforeInstall.mjs');
  return new Promise<{ code: number | null; stderr: string }>((resolve) => {
    const child = execFile(
      process.execPath,
      [script, feed],
      { env: { PATH: process.env.PATH, ...env } },
      (_, __, stderr) => resolve({ code: child.exitCode, stderr }),
    );
  });
}

/** An address at which nobody listens any more. */
async function closedAddress(): Promise<string> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return `http://127.0.0.1:${port}/`;
}

test('an install that would fail at the CUDA libraries names the switch first', {
  skip: onlyThere,
}, async () => {
  const { code, stderr } = await beforeInstall(await closedAddress());
  assert.equal(code, 1);
  assert.match(stderr, /ONNXRUNTIME_NODE_INSTALL=skip/);
  assert.match(stderr, /--ignore-scripts/);
});

test('an install goes on where the CUDA libraries can be had, or where the switch is set', async (t) => {
  const url = await serveHttp(t, (_, response) => response.writeHead(404).end());
  assert.deepEqual(await beforeInstall(url), { code: 0, stderr: '' });
  const switched = { ONNXRUNTIME_NODE_INSTALL: 'skip' };
  assert.deepEqual(await beforeInstall(await closedAddress(), switched), { code: 0, stderr: '' });
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
