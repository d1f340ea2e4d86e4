import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { startProxy } from '../../support/forwardProxy.ts';
import { serveHttp } from '../../support/imageServer.ts';
import { readUrl } from '../../support/readImage.ts';

const image = Buffer.from('an image');
const guarded = { allowPrivateAddresses: false };

/** A proxy that all requests of this process go through, and a server that it alone finds, as `pictures.invalid`. */
async function behindProxy(t: TestContext) {
  const origin = await serveHttp(t, (request, response) => {
    if (request.url === '/to-private') response.writeHead(302, { location: `${origin}/image` }).end();
    else response.end(image);
  });
  const proxy = await startProxy(t);
  proxy.places['pictures.invalid'] = origin;
  proxy.places[new URL(origin).host] = origin;
  setVariables(t, { http_proxy: proxy.url });
  return { origin, proxy };
}

function setVariables(t: TestContext, variables: Record<string, string>): void {
  for (const [name, value] of Object.entries(variables)) {
    process.env[name] = value;
    t.after(() => delete process.env[name]);
  }
}

test('a name is asked for at the proxy, which looks it up', async (t) => {
  const { proxy } = await behindProxy(t);
  assert.deepEqual(await readUrl('http://pictures.invalid/image?a=1', guarded), image);
  assert.deepEqual(proxy.requests, ['GET http://pictures.invalid/image?a=1']);
});

test('behind a proxy too, private addresses in URLs and in redirects are refused, and it is not asked for them', async (t) => {
  const { origin, proxy } = await behindProxy(t);
  const blocked = { code: 'IMAGE_ADDRESS_BLOCKED' };
  for (const host of ['127.0.0.1', '[::1]', '2130706433', '0x7f.1', '169.254.169.254', '[::ffff:10.0.0.1]'])
    await assert.rejects(readUrl(`http://${host}/image`, guarded), blocked, host);
  await assert.rejects(readUrl('http://pictures.invalid/to-private', guarded), blocked);
  assert.deepEqual(proxy.requests, ['GET http://pictures.invalid/to-private']);
  assert.deepEqual(await readUrl(`${origin}/image`), image, 'allowed, it goes through the proxy');
  assert.equal(proxy.requests.at(-1), `GET ${origin}/image`);
});

test('NO_PROXY names hosts that are asked directly, within all rules', async (t) => {
  const { origin, proxy } = await behindProxy(t);
  setVariables(t, { NO_PROXY: 'example.org,127.0.0.1,localhost' });
  assert.deepEqual(await readUrl(`${origin}/image`), image);
  const local = `${origin.replace('127.0.0.1', 'localhost')}/image`;
  await assert.rejects(readUrl(local, guarded), { code: 'IMAGE_ADDRESS_BLOCKED' });
  assert.deepEqual(proxy.requests, []);
});

test('a proxy with a password gets it, and one that refuses says so', async (t) => {
  const { proxy } = await behindProxy(t);
  proxy.authorization = `Basic ${Buffer.from('me:p@ss').toString('base64')}`;
  setVariables(t, { http_proxy: proxy.url.replace('//', '//me:p%40ss@') });
  assert.deepEqual(await readUrl('http://pictures.invalid/image'), image);
  setVariables(t, { http_proxy: proxy.url, https_proxy: proxy.url });
  await assert.rejects(readUrl('http://pictures.invalid/image'), { message: /Proxy .*\(407\)/ });
  await assert.rejects(readUrl('https://pictures.invalid/image'), { message: /Proxy .*\(407\)/ });
});

test('an address of a proxy that is none is refused by the name of its variable, and not shown', async (t) => {
  for (const value of ['ftp://me:hunter2@proxy:3128', 'http://me:hun/ter2@proxy:3128']) {
    setVariables(t, { HTTPS_PROXY: value });
    await assert.rejects(readUrl('http://pictures.invalid/image'), (error: Error & { code: string }) => {
      assert.equal(error.code, 'USAGE');
      assert.match(error.message, /^HTTPS_PROXY: expected http:\/\/HOST:PORT/);
      assert.doesNotMatch(error.message, /ter2/);
      return true;
    });
  }
});
