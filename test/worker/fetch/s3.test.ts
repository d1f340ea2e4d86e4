import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { listSource } from '../../../src/producer/sources/source.ts';
import type { ImageRef } from '../../../src/shared/refs/imageRef.ts';
import { createFetcher, type FetchOptions } from '../../../src/worker/fetch/fetch.ts';
import { openRemote } from '../../../src/worker/fetch/openRemote.ts';
import { type S3Environment, s3Environment } from '../../../src/worker/fetch/s3Environment.ts';
import { objectUrl } from '../../../src/worker/fetch/s3Request.ts';
import { type S3Server, serveS3 } from '../../support/s3Server.ts';

const bytes = (text: string) => Buffer.from(text);

/** The operator named the endpoint: that it is a private address is no matter. */
const limits = {
  allowPrivateAddresses: false,
  timeoutMs: 10_000,
  redirectsMax: 3,
  userAgent: 'clipfleet-test',
};

function fetcherOf(t: TestContext, s3: S3Environment, changes: Partial<FetchOptions> = {}) {
  const fetcher = createFetcher({
    bytesMax: 100,
    ...limits,
    s3,
    ...changes,
  });
  t.after(() => fetcher.close());
  return async (uri: string) => {
    const source = await fetcher.fetchImage({ id: 'x', uri });
    assert.ok('bytes' in source);
    return Buffer.from(source.bytes).toString();
  };
}

async function list(server: S3Server, ...names: string[]): Promise<ImageRef[]> {
  const remote = openRemote({ ...limits, s3: s3Environment(server.env) });
  const refs: ImageRef[] = [];
  try {
    const stdin = (async function* () {})();
    for await (const ref of listSource(names, { cwd: '/', address: (path) => path, remote, stdin }))
      refs.push(ref);
  } finally {
    await remote.close();
  }
  return refs;
}

test('objects come byte for byte, whatever is in their key, with a signature that the server can make too', async (t) => {
  const server = await serveS3(t);
  const keys = ['a.jpg', 'sub/a b+c.jpg', "q?#%&=!'()*~:@,;$.jpg", 'é猫🦊.jpg', 'a//b.jpg', '/x.jpg'];
  server.buckets = { data: Object.fromEntries(keys.map((key) => [key, bytes(key)])) };
  const read = fetcherOf(t, s3Environment(server.env));
  for (const key of keys) assert.equal(await read(`s3://data/${key}`), key);
  const [request] = server.requests;
  assert.equal(request, '/data/a.jpg');
});

test('a wrong key is refused, a session token is signed, and without keys a public bucket is read', async (t) => {
  const server = await serveS3(t);
  server.buckets = { data: { 'a.jpg': bytes('a') }, public: { 'b.jpg': bytes('b') } };
  const environment = (changes: object) => s3Environment({ ...server.env, ...changes });
  const wrong = fetcherOf(t, environment({ AWS_SECRET_ACCESS_KEY: 'wrong' }));
  await assert.rejects(wrong('s3://data/a.jpg'), { code: 'IMAGE_FORBIDDEN', retry: false });
  server.sessionToken = 'token';
  assert.equal(await fetcherOf(t, environment({ AWS_SESSION_TOKEN: 'token' }))('s3://data/a.jpg'), 'a');
  await assert.rejects(fetcherOf(t, environment({}))('s3://data/a.jpg'), { code: 'IMAGE_FORBIDDEN' });
  const anonymous = fetcherOf(t, environment({ AWS_ACCESS_KEY_ID: '', AWS_SECRET_ACCESS_KEY: '' }));
  assert.equal(await anonymous('s3://public/b.jpg'), 'b');
  await assert.rejects(anonymous('s3://data/a.jpg'), { code: 'IMAGE_FORBIDDEN' });
});

test('an answer says by its code whether another attempt can help', async (t) => {
  const server = await serveS3(t);
  server.buckets = { data: { 'a.jpg': bytes('a'.repeat(101)), empty: bytes('') } };
  const read = fetcherOf(t, s3Environment(server.env));
  const refuses = (uri: string, code: string, retry = false) =>
    assert.rejects(read(uri), { code, retry }, `${uri} ${code}`);
  await refuses('s3://data/no.jpg', 'IMAGE_NOT_FOUND');
  await refuses('s3://none/no.jpg', 'IMAGE_NOT_FOUND');
  await refuses('s3://data/a.jpg', 'IMAGE_TOO_LARGE');
  await refuses('s3://data/empty', 'IMAGE_EMPTY');
  for (const uri of ['s3://', 's3://a@b/x', 's3://data/../x.jpg', 's3://data:1/x'])
    await refuses(uri, 'IMAGE_URI_INVALID');
  for (const status of [500, 503, 429]) {
    server.failures.push(status);
    await refuses('s3://data/a.jpg', 'FETCH_FAILED', true);
  }
  // A redirect leads to another region; it is said, not followed.
  server.failures.push(301);
  await refuses('s3://data/a.jpg', 'IMAGE_HTTP_STATUS');
});

test('a prefix is listed page by page: images, by their endings, without hidden ones', async (t) => {
  const server = await serveS3(t);
  const keys = [
    'p/a.jpg',
    'p/b+ c.PNG',
    'p/c&<.webp',
    'p/d.txt',
    'p/e/f.jpg',
    'p/.h/g.jpg',
    'p/.i.jpg',
    'p/z.jpg',
  ];
  server.buckets = {
    data: Object.fromEntries([...keys, 'p/', 'p2.jpg', 'q/a.jpg'].map((key) => [key, bytes('')])),
  };
  const uris = async (...names: string[]) => {
    const refs = await list(server, ...names);
    for (const { id, uri } of refs) assert.equal(id, uri);
    return refs.map(({ uri }) => uri);
  };
  const images = ['p/a.jpg', 'p/b+ c.PNG', 'p/c&<.webp', 'p/e/f.jpg', 'p/z.jpg'];
  assert.deepEqual(
    await uris('s3://data/p/'),
    images.map((key) => `s3://data/${key}`),
  );
  assert.ok(server.requests.length > 2, 'several pages');
  assert.equal((await uris('s3://data')).length, 7);
  assert.equal((await uris('s3://data/p')).length, 6);
  assert.deepEqual(await uris('s3://data/no-need-to-list.jpg'), ['s3://data/no-need-to-list.jpg']);
});

test('a request that fails and may pass is made again; a bucket that is not there is said', async (t) => {
  const server = await serveS3(t);
  server.buckets = { data: { 'a.jpg': bytes('') } };
  server.failures.push(503, 500);
  assert.equal((await list(server, 's3://data/')).length, 1);
  await assert.rejects(list(server, 's3://none/'), { code: 'USAGE', message: /^s3:\/\/none\/: .*404/ });
  server.failures.push(503, 503, 503, 503, 503);
  await assert.rejects(list(server, 's3://data/'), { code: 'SOURCE_UNAVAILABLE', retry: true });
});

test('a list in a bucket is read piece by piece, and its relative paths are beside it', async (t) => {
  const server = await serveS3(t);
  const csv = 'file_name\na b.jpg\n../up.jpg\ns3://other/c.jpg\n';
  server.buckets = { data: { 'lists/a.csv': bytes(csv) } };
  assert.deepEqual(
    (await list(server, 's3://data/lists/a.csv')).map(({ uri }) => uri),
    ['s3://data/lists/a b.jpg', 's3://data/up.jpg', 's3://other/c.jpg'],
  );
});

test('the environment is that of Amazon’s tools', () => {
  assert.deepEqual(s3Environment({ AWS_ENDPOINT_URL: '', AWS_REGION: '' }), { region: 'us-east-1' });
  const url = (uri: [string, string], env = {}) =>
    objectUrl({ bucket: uri[0], key: uri[1] }, s3Environment(env)).href;
  assert.equal(
    url(['b', 'k/a b'], { AWS_DEFAULT_REGION: 'eu-west-1' }),
    'https://b.s3.eu-west-1.amazonaws.com/k/a%20b',
  );
  assert.equal(url(['b.c', 'k']), 'https://s3.us-east-1.amazonaws.com/b.c/k');
  const endpoints = { AWS_ENDPOINT_URL: 'http://all', AWS_ENDPOINT_URL_S3: 'http://minio:9000/s3/' };
  assert.equal(url(['b', 'k'], endpoints), 'http://minio:9000/s3/b/k');
  for (const endpoint of ['minio:9000', 'http://user:password@minio', 'http://minio?x'])
    assert.throws(() => s3Environment({ AWS_ENDPOINT_URL: endpoint }), { code: 'USAGE' });
  assert.throws(() => s3Environment({ AWS_ACCESS_KEY_ID: 'x' }), {
    code: 'USAGE',
    message: /AWS_SECRET_ACCESS_KEY is not set/,
  });
});

test('a list that is replaced while it is read is not mixed', async (t) => {
  const server = await serveS3(t);
  const rows = (length: number) => bytes(`url\n${'a.jpg\n'.repeat(length)}`);
  server.buckets = { data: { 'a.csv': rows(400_000) } };
  const { env } = server;
  const remote = openRemote({ ...limits, s3: s3Environment(env) });
  t.after(() => remote.close());
  const stdin = (async function* () {})();
  const refs = listSource(['s3://data/a.csv'], { cwd: '/', address: (path) => path, remote, stdin });
  await refs.next();
  server.buckets = { data: { 'a.csv': rows(500_000) } };
  await assert.rejects(
    async () => {
      for await (const _ of refs);
    },
    { code: 'SOURCE_INVALID', message: /a\.csv: .*changed/ },
  );
});
