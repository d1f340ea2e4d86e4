import assert from 'node:assert/strict';
import { test } from 'node:test';
import { downloadModel } from '../../../src/worker/hub/hub.ts';
import { hubScene } from '../../support/hubScene.ts';

test('the token goes with every request to the endpoint and with none to another host', async (t) => {
  const { hub, options } = await hubScene(t);
  hub.listing = 'pages';
  // Tokens of mirrors do not begin with hf_.
  await downloadModel(hub.name, { ...options, token: 'mirror-token' });
  const tokens = (server: string) =>
    new Set(hub.seen.filter((request) => request.server === server).map((request) => request.authorization));
  assert.deepEqual(tokens('hub'), new Set(['Bearer mirror-token']));
  assert.deepEqual(tokens('cdn'), new Set([undefined]));
});

test('401 and 403 are HUB_FORBIDDEN and name the token and the conditions', async (t) => {
  const { hub, options } = await hubScene(t);
  for (const refusal of [{ status: 401 }, { status: 403, code: 'GatedRepo' }]) {
    hub.refusal = refusal;
    await assert.rejects(downloadModel(hub.name, options), {
      code: 'HUB_FORBIDDEN',
      message: /private or gated.*HF_TOKEN.*conditions/,
    });
  }
});

test('404, and the 401 that the Hub gives for names it has not, are MODEL_NOT_FOUND', async (t) => {
  const { hub, options } = await hubScene(t);
  await assert.rejects(downloadModel('tiny-org/clip.tiny', options), {
    code: 'MODEL_NOT_FOUND',
    message: /case-sensitive.*HF_TOKEN/,
  });
  await assert.rejects(downloadModel(hub.name, { ...options, revision: 'v9' }), {
    code: 'MODEL_NOT_FOUND',
    message: /no such revision/,
  });
  hub.refusal = { status: 401, code: 'RepoNotFound' };
  await assert.rejects(downloadModel(hub.name, options), { code: 'MODEL_NOT_FOUND' });
});

test('a name that is not owner/repo, or would leave the cache, is refused before any request', async (t) => {
  const { hub, options } = await hubScene(t);
  for (const name of ['clip', '../../etc', 'a/b/c', 'a/..', 'a--b/c', 'a/b.git', 'a b/c', '']) {
    await assert.rejects(downloadModel(name, options), { code: 'MODEL_NOT_FOUND' }, name);
  }
  assert.deepEqual(hub.seen, []);
});

test('an endpoint that is no web address is a fault of the configuration', async (t) => {
  const { hub, options } = await hubScene(t);
  for (const endpoint of ['huggingface.co', 'file:///models', 'https://']) {
    await assert.rejects(downloadModel(hub.name, { ...options, endpoint }), { code: 'USAGE' });
  }
});

test('a server error is asked again, and is HUB_UNAVAILABLE when it stays', async (t) => {
  const { hub, options } = await hubScene(t);
  hub.refusal = { status: 503 };
  await assert.rejects(downloadModel(hub.name, options), {
    code: 'HUB_UNAVAILABLE',
    message: /503.*models\/demo/,
  });
  assert.equal(hub.seen.length, 3);
});

test('the caller can stop it, and gets its own reason back', async (t) => {
  const { hub, options } = await hubScene(t);
  const reason = new Error('enough');
  const stop = new AbortController();
  const onProgress = () => stop.abort(reason);
  await assert.rejects(
    downloadModel(hub.name, { ...options, signal: stop.signal, onProgress }),
    (error) => error === reason,
  );
});
