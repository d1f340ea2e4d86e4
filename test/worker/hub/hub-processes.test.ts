import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { downloadModel, type HubOptions } from '../../../src/worker/hub/hub.ts';
import { hubScene, isWhole } from '../../support/hubScene.ts';
import { sendPart } from '../../support/hubServer.ts';

const path = 'onnx/vision_model.onnx';

test('two processes that want the same files download each once', async (t) => {
  const { hub, options, cacheDir } = await hubScene(t);
  const children = [downloadElsewhere(t, hub.name, options), downloadElsewhere(t, hub.name, options)];
  const here = [downloadModel(hub.name, options), downloadModel(hub.name, options)];
  const codes = await Promise.all(children.map(exitOf));
  assert.deepEqual(codes, [0, 0]);
  const [model] = await Promise.all(here);
  assert.ok(await isWhole(hub, model!.dir, path));
  const bytes = hub.seen
    .filter((request) => request.path.startsWith('/bytes/'))
    .map((request) => request.path);
  assert.equal(bytes.length, new Set(bytes).size);
  assert.deepEqual(await readdir(join(cacheDir, '.locks', 'models--Tiny-Org--clip.tiny')), []);
});

test('what a killed process left is resumed at once by the next', async (t) => {
  const { hub, options } = await hubScene(t);
  const child = downloadElsewhere(t, hub.name, options);
  const killed = new Promise<void>((resolve) => {
    hub.intercept = (_request, response, asked, body) => {
      if (asked !== path || hub.seenFor(path).length > 1) return false;
      sendPart(response, body, 50_000);
      child.stdout!.on('data', (words: Buffer) => {
        if (words.includes('vision 50000')) child.kill('SIGKILL');
      });
      child.on('exit', () => resolve());
      return true;
    };
  });
  await killed;
  const { dir } = await downloadModel(hub.name, options);
  assert.deepEqual(
    hub.seenFor(path).map(({ range }) => range),
    [undefined, 'bytes=50000-'],
  );
  assert.ok(await isWhole(hub, dir, path));
});

/** The same download in a process of its own, which prints how far its vision graph is. */
function downloadElsewhere(t: TestContext, name: string, options: HubOptions): ChildProcess {
  const module = new URL('../../../src/worker/hub/hub.js', import.meta.url).href;
  const script = `const { downloadModel } = await import(${JSON.stringify(module)});
const onProgress = (p) => p.file === '${path}' && console.log('vision ' + p.receivedBytes + ' ');
await downloadModel(${JSON.stringify(name)}, { ...${JSON.stringify(options)}, onProgress });`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  t.after(() => child.kill('SIGKILL'));
  return child;
}

async function exitOf(child: ChildProcess): Promise<number | null> {
  child.stdout?.resume();
  const [code] = (await once(child, 'exit')) as [number | null];
  return code;
}
