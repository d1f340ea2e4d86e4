// Uploads are read from the fleet's own gateway: the guard lets a worker to them and to nothing else there.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createFetcher } from '../../../src/worker/fetch/fetch.ts';
import { serveHttp } from '../../support/imageServer.ts';

const name = `1790000000000-3-${'a'.repeat(43)}`;

test('a worker shows the gateway its key, for uploads alone, and follows it nowhere', async (t) => {
  const asked: string[] = [];
  const other = await serveHttp(t, (request, response) => {
    asked.push(`other ${request.headers.authorization}`);
    response.end('elsewhere');
  });
  const gateway = await serveHttp(t, (request, response) => {
    asked.push(`${request.url} ${request.headers.authorization}`);
    if (request.url?.endsWith(`${name}`)) return response.end('yes');
    response.writeHead(302, { location: other }).end();
  });
  const limits = { bytesMax: 100, timeoutMs: 10_000, redirectsMax: 3, allowPrivateAddresses: false };
  const fetcher = createFetcher({ ...limits, userAgent: 'test', gateway: { url: gateway, key: 'secret' } });
  t.after(() => fetcher.close());
  const fetch = (uri: string) => fetcher.fetchImage({ id: 'x', uri });

  const upload = await fetch(`${gateway}/v1/uploads/${name}`);
  assert.ok('bytes' in upload);
  assert.equal(Buffer.from(upload.bytes).toString(), 'yes');
  await assert.rejects(fetch(`${gateway}/v1/uploads/${name.replace('-3-', '-4-')}`), {
    code: 'IMAGE_TOO_MANY_REDIRECTS',
  });
  for (const uri of [`${gateway}/v1/runs`, `${gateway}/v1/uploads/${name}?x`, `${other}/v1/uploads/${name}`])
    await assert.rejects(fetch(uri), { code: 'IMAGE_ADDRESS_BLOCKED' });
  assert.deepEqual(asked, [
    `/v1/uploads/${name} Bearer secret`,
    `/v1/uploads/${name.replace('-3-', '-4-')} Bearer secret`,
  ]);

  const without = createFetcher({ ...limits, userAgent: 'test' });
  t.after(() => without.close());
  await assert.rejects(without.fetchImage({ id: 'x', uri: `${gateway}/v1/uploads/${name}` }), {
    code: 'IMAGE_ADDRESS_BLOCKED',
  });
});
