import assert from 'node:assert/strict';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { downloadModel } from '../../../src/worker/hub/hub.ts';
import { hubScene, isWhole } from '../../support/hubScene.ts';
import { type HubServer, sendPart, sendRange } from '../../support/hubServer.ts';

const path = 'onnx/vision_model.onnx';

test('a cut connection is resumed where it broke', async (t) => {
  const { hub, options } = await hubScene(t);
  const progress: number[] = [];
  const cut = cutOnce(hub, 123_456);
  const onProgress = (p: Progress) => {
    cut(p);
    if (p.file !== path) return;
    assert.equal(p.totalBytes, 300_000);
    progress.push(p.receivedBytes);
  };
  const { dir } = await downloadModel(hub.name, { ...options, onProgress });
  assert.deepEqual(ranges(hub), [undefined, 'bytes=123456-']);
  assert.ok(await isWhole(hub, dir, path));
  assert.equal(progress.at(-1), 300_000);
  const sorted = progress.toSorted((a, b) => a - b);
  assert.deepEqual(progress, sorted);
});

test('a server that hangs up without a byte is given up, and what came stays for the next call', async (t) => {
  const { hub, options, folder } = await hubScene(t);
  const onProgress = cutOnce(hub, 1000, (_request, response) => {
    response.socket?.destroy();
    return true;
  });
  await assert.rejects(downloadModel(hub.name, { ...options, onProgress }), { code: 'HUB_UNAVAILABLE' });
  assert.ok((await readdir(join(folder, 'blobs'))).includes(`${hub.etag(path)}.incomplete`));

  hub.seen.length = 0;
  hub.intercept = () => false;
  const { dir } = await downloadModel(hub.name, options);
  assert.deepEqual(ranges(hub), ['bytes=1000-']);
  assert.ok(await isWhole(hub, dir, path));
});

test('a server that ignores the range, sends another, or refuses it, is asked for all', async (t) => {
  for (const again of [200, 206, 416]) {
    const { hub, options } = await hubScene(t);
    const onProgress = cutOnce(hub, 1000, (request, response, _path, body) => {
      if (request.headers.range === undefined) return false;
      if (again === 200) response.end(body);
      else response.writeHead(again, { 'content-range': 'bytes 0-299999/300000' }).end(body);
      return true;
    });
    const { dir } = await downloadModel(hub.name, { ...options, onProgress });
    assert.ok(await isWhole(hub, dir, path));
    assert.deepEqual(ranges(hub), [undefined, 'bytes=1000-', ...(again === 200 ? [] : [undefined])]);
  }
});

test('a body that stands still is cut off and resumed', async (t) => {
  const { hub, options } = await hubScene(t);
  hub.intercept = (_request, response, asked, body) => {
    if (asked !== path || hub.seenFor(path).length > 1) return false;
    sendPart(response, body, 5000);
    return true;
  };
  const { dir } = await downloadModel(hub.name, { ...options, limits: { backoffMs: 1, idleTimeoutMs: 400 } });
  assert.equal(hub.seenFor(path).at(-1)?.range, 'bytes=5000-');
  assert.ok(await isWhole(hub, dir, path));
});

test('a file that came corrupt is fetched once more from its beginning', async (t) => {
  const { hub, options } = await hubScene(t);
  hub.intercept = (request, response, asked, body) => {
    if (asked !== path || hub.seenFor(path).length > 1) return false;
    sendRange(request, response, flipped(body), '');
    return true;
  };
  const { dir } = await downloadModel(hub.name, options);
  assert.ok(await isWhole(hub, dir, path));
});

test('a file that stays corrupt, in LFS or in git, is HUB_CORRUPT and leaves nothing behind', async (t) => {
  for (const bad of [path, 'config.json']) {
    const { hub, options, folder } = await hubScene(t);
    hub.intercept = (request, response, asked, body) => {
      if (asked === bad) sendRange(request, response, flipped(body), '');
      return asked === bad;
    };
    await assert.rejects(downloadModel(hub.name, options), { code: 'HUB_CORRUPT', message: /should have/ });
    assert.equal(hub.seenFor(bad).length, 2);
    const blobs = await readdir(join(folder, 'blobs'));
    assert.deepEqual(
      blobs.filter((blob) => blob.startsWith(hub.etag(bad))),
      [],
    );
    await assert.rejects(readdir(join(folder, 'refs')), { code: 'ENOENT' });
  }
});

test('a file longer than listed is HUB_CORRUPT', async (t) => {
  const { hub, options } = await hubScene(t);
  hub.intercept = (_request, response, asked, body) => {
    if (asked === path) response.end(Buffer.concat([body, body]));
    return asked === path;
  };
  await assert.rejects(downloadModel(hub.name, options), { code: 'HUB_CORRUPT', message: /more than/ });
});

type Progress = { file: string; receivedBytes: number; totalBytes: number };

function ranges(hub: HubServer): (string | undefined)[] {
  return hub.seenFor(path).map(({ range }) => range);
}

/**
 * Makes the first answer for the vision graph break after some bytes, and `afterwards` give the later ones. The
 * result is the `onProgress` that cuts, once the bytes are on the disk: what is on the way at a cut may be lost.
 */
function cutOnce(hub: HubServer, bytes: number, afterwards: HubServer['intercept'] = () => false) {
  let cut = () => {};
  hub.intercept = (request, response, asked, body) => {
    if (asked !== path) return false;
    if (hub.seenFor(path).length > 1) return afterwards(request, response, asked, body);
    sendPart(response, body, bytes);
    cut = () => response.socket?.destroy();
    return true;
  };
  return ({ file, receivedBytes }: Progress) => {
    if (file === path && receivedBytes === bytes) cut();
  };
}

function flipped(body: Buffer): Buffer {
  const copy = Buffer.from(body);
  copy[copy.length >> 1]! ^= 1;
  return copy;
}
