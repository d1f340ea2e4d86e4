// Large uploads: they wait in a folder, workers read them from the gateway, and nothing of them stays.
import assert from 'node:assert/strict';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { test } from 'node:test';
import { imageIn, inlineUri } from '../../src/gateway/uploads/imageIn.ts';
import { openSpool } from '../../src/gateway/uploads/spool.ts';
import { isUploadOf } from '../../src/shared/refs/uploadUri.ts';
import { demoModel, pictures, startFleet } from '../support/fleet.ts';
import { startGateway } from '../support/gateway.ts';
import { temporaryFolder, until } from '../support/support.ts';

const candidate_labels = ['fox', 'bear', 'owl'];

/** A picture whose file is longer than what goes through Redis: what stands behind its end is passed over. */
async function largeOwl(): Promise<Buffer> {
  return Buffer.concat([await readFile(join(pictures, 'owl.jpg')), Buffer.alloc(400_000)]);
}

test('a spool gives back what was put, until it is removed, has expired, or is full', async (t) => {
  const folder = join(await temporaryFolder(t), 'deep', 'spool');
  const spool = await openSpool({ folder, bytesMax: 100 });
  t.after(() => spool.close());
  const name = await spool.put(Buffer.from('one'), 60_000);
  assert.equal(String(await buffer((await spool.read(name))!.bytes)), 'one');
  for (const other of [
    '..',
    `../${name}`,
    `${name}x`,
    name.replace(/.$/, (last) => (last === 'A' ? 'B' : 'A')),
  ])
    assert.equal(await spool.read(other), undefined, other);
  await spool.remove(name);
  assert.equal(await spool.read(name), undefined);

  const puts = Array.from({ length: 5 }, () => spool.put(Buffer.alloc(30), 60_000));
  const settled = await Promise.allSettled(puts);
  assert.equal(settled.filter(({ status }) => status === 'fulfilled').length, 3);
  for (const one of settled) if (one.status === 'rejected') assert.equal(one.reason.code, 'SPOOL_FULL');

  // Another gateway at the same folder knows of them, and of what has expired.
  const other = await openSpool({ folder, bytesMax: 150 });
  t.after(() => other.close());
  const gone = await other.put(Buffer.alloc(50), -1);
  assert.equal(await other.read(gone), undefined);
  assert.ok((await readdir(folder)).includes(gone));
  await writeFile(join(folder, 'notes.txt'), 'of somebody else');
  await other.put(Buffer.alloc(50), 60_000);
  const names = await readdir(folder);
  assert.ok(!names.includes(gone) && names.includes('notes.txt'));
  const file = join(folder, 'notes.txt');
  await assert.rejects(openSpool({ folder: file, bytesMax: 1 }), { code: 'USAGE', message: /--spool/ });
});

test('the exemption of a gateway is of its uploads alone', () => {
  const name = `1790000000000-300000-${'a'.repeat(43)}`;
  const gateway = 'http://10.0.0.5:8321';
  assert.ok(isUploadOf(gateway, `${gateway}/v1/uploads/${name}`));
  for (const uri of [
    `${gateway}/v1/runs`,
    `${gateway}/v1/uploads/`,
    `${gateway}/v1/uploads/../runs/${name}`,
    `${gateway}/v1/uploads/${name}?x`,
    `${gateway}/v1/uploads/${name}/../../runs`,
    `http://10.0.0.5:83219/v1/uploads/${name}`,
    `http://10.0.0.5:8321@example.org/v1/uploads/${name}`,
  ])
    assert.ok(!isUploadOf(gateway, uri), uri);
});

test('an image comes as base64, as a URL, or as neither', () => {
  const bytes = Buffer.from('the bytes of an image, long enough');
  const base64 = bytes.toString('base64');
  for (const text of [base64, base64.replace(/=+$/, ''), `${base64.slice(0, 20)}\n${base64.slice(20)}`])
    assert.deepEqual(imageIn(text), bytes);
  assert.deepEqual(imageIn(`data:image/png;base64,${base64}`), bytes);
  assert.deepEqual(imageIn(Buffer.alloc(60, 255).toString('base64url')), Buffer.alloc(60, 255));
  for (const url of [
    'https://example.org/a',
    'S3://bucket/a',
    'data:,x',
    'data:;base64,=x',
    'data:;base64,aGFsb',
  ])
    assert.equal(imageIn(url), url);
  for (const none of ['/etc/passwd', 'aGFsbG8=', `${base64}!`, 'file:///etc/passwd'])
    assert.throws(() => imageIn(none), { code: 'REQUEST_INVALID' });
  assert.throws(() => inlineUri(imageIn(`data:,${'x'.repeat(5e6)}`)), { code: 'REQUEST_INVALID' });
});

test('large images are labeled and embedded, however they come, and leave no file', async (t) => {
  const fleet = await startFleet(t);
  const { ask, url } = await startGateway(fleet);
  const worker = fleet.start('worker', '--model', demoModel, '--gateway', `${url}/`);
  await until(() => worker.text().stderr.includes('worker ready'), 'the worker serves');
  const bytes = await largeOwl();
  const base64 = bytes.toString('base64');
  const classify = (inputs: string) =>
    ask('POST', '/v1/classify', { inputs, parameters: { candidate_labels } });
  const small = await classify((await readFile(join(pictures, 'owl.jpg'))).toString('base64'));
  assert.equal(small.status, 200, small.text);
  for (const inputs of [base64, `data:image/jpeg;base64,${base64}`]) {
    const answer = await classify(inputs);
    assert.deepEqual(answer.json, small.json, answer.text);
  }
  const uploaded = await upload(url, bytes);
  assert.deepEqual(await uploaded.json(), small.json);

  const embed = (image: string) => ask('POST', '/v1/embeddings', { input: [{ image }, 'an owl'] });
  const [large, plain] = [
    await embed(base64),
    await embed((await readFile(join(pictures, 'owl.jpg'))).toString('base64')),
  ];
  assert.equal(large.status, 200, large.text);
  assert.deepEqual(large.json.data, plain.json.data);
  // Four went through the folder, and none through Redis.
  const uris = (await fleet.producer.list()).map(async ({ run }) => (await fleet.rows(run))[0]!.uri);
  const bySchemes = (await Promise.all(uris)).map((uri) => uri.slice(0, 5)).sort();
  assert.deepEqual(bySchemes, ['data:', 'data:', 'data:', 'data:', ...Array(4).fill('http:')].sort());
  assert.deepEqual(await readdir(join(fleet.folder, 'spool')), []);

  const broken = await classify(Buffer.alloc(300_000, 7).toString('base64'));
  assert.deepEqual([broken.status, broken.json.code], [422, 'IMAGE_UNSUPPORTED']);
  assert.deepEqual(await readdir(join(fleet.folder, 'spool')), []);
  assert.equal((await ask('GET', '/v1/uploads/x')).json.code, 'UPLOAD_UNKNOWN');
});

test('with keys workers show theirs; where they cannot read uploads, the gateway says what to do', async (t) => {
  const fleet = await startFleet(t);
  const file = join(fleet.folder, 'keys.txt');
  const made = async (name: string, scopes: string) =>
    (await fleet.run('key', name, '--scopes', scopes, '--api-keys', file)).stdout.trim();
  const [client, reader] = [await made('shop', 'enqueue'), await made('workers', 'read')];
  const { url, running } = await startGateway(fleet, '--api-keys', file, '--requests-per-minute', '4');
  assert.match(running.text().stderr, new RegExp(`"workersReadAt":"${url}"`));
  const bytes = await largeOwl();
  const labelWith = async (...flags: string[]) => {
    const worker = fleet.start('worker', '--model', demoModel, ...flags);
    await until(() => worker.text().stderr.includes('worker ready'), 'the worker serves');
    const answer = await upload(url, bytes, client);
    worker.child.kill('SIGTERM');
    await worker.ended;
    return { status: answer.status, json: (await answer.json()) as { code: string; detail: string } };
  };
  const elsewhere = await labelWith();
  assert.deepEqual([elsewhere.status, elsewhere.json.code], [503, 'UPLOAD_UNREAD']);
  assert.match(elsewhere.json.detail, /IMAGE_ADDRESS_BLOCKED.*--gateway/);
  const keyless = await labelWith('--gateway', url);
  assert.equal(keyless.json.code, 'UPLOAD_UNREAD');
  assert.match(keyless.json.detail, /IMAGE_FORBIDDEN.*--gateway-key/);
  fleet.env.CLIPFLEET_GATEWAY_KEY = reader;
  // What workers read is not counted as requests.
  const authorization = `Bearer ${reader}`;
  for (let i = 0; i < 5; i++)
    assert.equal((await fetch(`${url}/v1/uploads/x`, { headers: { authorization } })).status, 404);
  const read = await labelWith('--gateway', url);
  assert.deepEqual([read.status, await readdir(join(fleet.folder, 'spool'))], [200, []]);
});

test('an upload that nobody waits for any more is there for its worker, and a full folder takes no more', async (t) => {
  const fleet = await startFleet(t);
  const worker = fleet.start('worker', '--model', demoModel);
  await until(() => worker.text().stderr.includes('worker ready'), 'the worker serves');
  const limits = ['--answer-timeout-ms', '1000', '--spool-bytes-max', '1000000'];
  const { url } = await startGateway(fleet, ...limits);
  worker.child.kill('SIGKILL');
  await worker.ended;
  const bytes = Buffer.concat([await largeOwl(), Buffer.alloc(200_000)]);
  const late = await upload(url, bytes);
  assert.equal(((await late.json()) as { code: string }).code, 'ANSWER_TIMEOUT');
  const [name] = await readdir(join(fleet.folder, 'spool'));
  const held = await fetch(`${url}/v1/uploads/${name}`);
  assert.deepEqual(Buffer.from(await held.arrayBuffer()), bytes);
  assert.equal(held.headers.get('content-type'), 'application/octet-stream');
  const full = await upload(url, bytes);
  assert.equal(full.status, 429);
  assert.equal(((await full.json()) as { code: string }).code, 'SPOOL_FULL');
  assert.ok(full.headers.get('retry-after'));
});

function upload(url: string, bytes: Buffer, key = ''): Promise<Response> {
  const form = new FormData();
  form.append('candidate_labels', candidate_labels.join(','));
  form.append('image', new Blob([new Uint8Array(bytes)]), 'owl.jpg');
  const headers = new Headers();
  if (key !== '') headers.set('authorization', `Bearer ${key}`);
  return fetch(`${url}/v1/classify`, { method: 'POST', body: form, headers });
}
