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

test('odd locations lead where browsers go', async (t) => {
  const image = (path: string) => readUrl(base + path).then(String);
  const base = await serveHttp(t, (request, response) => {
    const location = raw[request.url!.slice(1)];
    if (location === undefined) return void response.end(request.url);
    // Node writes a header's characters as bytes of their number.
    const bytes = Buffer.from(location, request.url === '/latin' ? 'latin1' : 'utf8').toString('latin1');
    response.writeHead(302, { location: bytes }).end();
  });
  const raw: Record<string, string> = {
    utf8: '/büro 猫.jpg',
    latin: '/büro.jpg',
    encoded: '/b%C3%BCro.jpg',
    space: '  /with space.jpg ',
    host: `//${new URL(base).host}/host.jpg`,
    query: '?crop=[1,2]|ü',
    backslash: '\\back\\slash.jpg',
    relative: './a/../b.jpg#part',
  };
  const expected: Record<string, string> = {
    utf8: '/b%c3%bcro%20%e7%8c%ab.jpg',
    latin: '/b%fcro.jpg',
    encoded: '/b%C3%BCro.jpg',
    space: '/with%20space.jpg',
    host: '/host.jpg',
    query: '/query?crop=[1,2]|%c3%bc',
    backslash: '/back/slash.jpg',
    relative: '/b.jpg',
  };
  const found: Record<string, string> = {};
  for (const path of Object.keys(raw)) found[path] = await image(`/${path}`);
  assert.deepEqual(found, expected);
});

test('a location said twice is one, and two are none', async (t) => {
  const base = await serveHttp(t, (request, response) => {
    const second = { '/same': '/image', '/other': '/b.jpg' }[request.url!];
    if (second === undefined) response.end(image);
    else response.writeHead(302, ['Location', '/image', 'Location', second]).end();
  });
  assert.deepEqual(await readUrl(`${base}/same`), image);
  await assert.rejects(readUrl(`${base}/other`), { code: 'IMAGE_HTTP_STATUS' });
});
