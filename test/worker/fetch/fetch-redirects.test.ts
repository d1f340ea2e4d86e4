import assert from 'node:assert/strict';
import type { RequestListener } from 'node:http';
import { type TestContext, test } from 'node:test';
import { serveHttp } from '../../support/imageServer.ts';
import { readUrl } from '../../support/readImage.ts';

const image = Buffer.from('an image');

/** A server that redirects from each path to its location, and has the image behind every other one. */
function serveRedirects(t: TestContext, locations: Record<string, string>, status = 302): Promise<string> {
  const answer: RequestListener = (request, response) => {
    const location = locations[request.url!];
    if (location === undefined) return void response.end(image);
    response.writeHead(status, location === '' ? {} : { location }).end('moved');
  };
  return serveHttp(t, answer);
}

test('redirects are followed as far as allowed', async (t) => {
  const hops = { '/hops/4': '3', '/hops/3': '2', '/hops/2': '1', '/hops/1': '/image', '/loop': '/loop' };
  const base = await serveRedirects(t, hops, 307);
  assert.deepEqual(await readUrl(`${base}/hops/3`), image);
  const tooMany = { code: 'IMAGE_TOO_MANY_REDIRECTS' };
  await assert.rejects(readUrl(`${base}/hops/4`), tooMany);
  await assert.rejects(readUrl(`${base}/hops/1`, { redirectsMax: 0 }), tooMany);
  await assert.rejects(readUrl(`${base}/loop`), tooMany);
});

test('redirects lead to http and https only', async (t) => {
  const base = await serveRedirects(t, {
    '/to-file': 'file:///etc/passwd',
    '/to-data': 'data:,x',
    '/to-password': 'http://user:hunter2@example.com/',
    '/to-nothing': '',
  });
  for (const path of ['/to-file', '/to-data', '/to-password'])
    await assert.rejects(readUrl(base + path), { code: 'IMAGE_URI_INVALID' }, path);
  await assert.rejects(readUrl(`${base}/to-nothing`), { code: 'IMAGE_HTTP_STATUS' });
});
