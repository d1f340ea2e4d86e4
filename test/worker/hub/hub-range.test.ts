import assert from 'node:assert/strict';
import { test } from 'node:test';
import { hubFileRange, listFilesOf } from '../../../src/worker/hub/hubApi.ts';
import { withHub } from '../../../src/worker/hub/hubRequest.ts';
import { hubScene } from '../../support/hubScene.ts';
import { fakeRepository } from '../../support/hubServer.ts';

const path = 'onnx/vision_model.onnx';
const body = fakeRepository()[path]!;

test('a range is read through the redirect, and only the range travels', async (t) => {
  const { hub, options } = await hubScene(t);
  const read = await hubFileRange(hub.name, hub.commit, path, 1000, 1999, options);
  assert.deepEqual(Buffer.from(read), body.subarray(1000, 2000));
  assert.deepEqual(
    hub.seenFor(path).map(({ range }) => range),
    ['bytes=1000-1999'],
  );
});

test('a server without ranges gives the same bytes; the end of the file shortens them', async (t) => {
  const { hub, options } = await hubScene(t);
  const tail = await hubFileRange(hub.name, hub.commit, path, body.length - 3, body.length + 5, options);
  assert.deepEqual(Buffer.from(tail), body.subarray(-3));
  hub.intercept = (_request, response, _path, whole) => response.end(whole) !== undefined;
  const read = await hubFileRange(hub.name, hub.commit, path, 1000, 1999, options);
  assert.deepEqual(Buffer.from(read), body.subarray(1000, 2000));
});

test('a range behind the end is refused', async (t) => {
  const { hub, options } = await hubScene(t);
  await assert.rejects(hubFileRange(hub.name, hub.commit, path, body.length, body.length + 9, options), {
    code: 'MODEL_INVALID',
  });
});

test('files are listed with size and hash over several pages', async (t) => {
  const { hub, options } = await hubScene(t);
  hub.listing = 'pages';
  const expected = Object.entries(fakeRepository()).map(([file, { length }]) => ({
    path: file,
    bytes: length,
    etag: hub.etag(file),
  }));
  assert.deepEqual(
    await withHub(options, (access) => listFilesOf(access, options, hub.name, hub.commit)),
    expected,
  );
});
