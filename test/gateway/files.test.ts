// The files of batches: what is taken, what is refused, and what goes by itself.
import assert from 'node:assert/strict';
import { mkdir, readdir, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import OpenAI, { toFile } from 'openai';
import { createFileStore } from '../../src/gateway/files/fileStore.ts';
import { startFleet } from '../support/fleet.ts';
import { startGateway } from '../support/gateway.ts';
import { temporaryFolder } from '../support/support.ts';

const limits = { bytesMax: 1_000, fileBytesMax: 600, keptMs: 60_000 };
const idOf = (digit: string) => `file-${digit.repeat(24)}`;

async function* pieces(...sizes: number[]) {
  for (const size of sizes) yield Buffer.alloc(size, 'x');
}

test('a file is there once it is kept, and its folder never holds more than it may', async (t) => {
  const folder = join(await temporaryFolder(t), 'files');
  const files = createFileStore({ ...limits, folder });
  const [a, b, c] = ['a', 'b', 'c'].map(idOf) as [string, string, string];
  assert.equal(await files.write(a, pieces(200, 300)), 500);
  await assert.rejects(files.get(a), { code: 'FILE_UNKNOWN' });
  const kept = await files.keep({ id: a, bytes: 500, filename: 'in.jsonl', purpose: 'batch' });
  assert.deepEqual(await files.get(a), kept);
  assert.equal(kept.expires_at - kept.created_at, 60);
  let bytes = 0;
  for await (const piece of await files.read(a)) bytes += (piece as Buffer).length;
  assert.equal(bytes, 500);

  await assert.rejects(files.write(b, pieces(300, 301)), { code: 'REQUEST_TOO_LARGE' });
  await assert.rejects(files.write(b, pieces(300, 250)), { code: 'FILES_FULL' });
  assert.deepEqual((await readdir(folder)).sort(), [`${a}.json`, `${a}.jsonl`], 'nothing is left of those');
  for (const id of ['../x', `${a}.json`, '', b])
    await assert.rejects(files.get(id), { code: 'FILE_UNKNOWN' });

  await files.remove(a);
  await files.write(b, pieces(600));
  await files.keep({ id: b, bytes: 600, filename: 'b', purpose: 'batch', keptS: -1 });
  await assert.rejects(files.get(b), { code: 'FILE_UNKNOWN' });
  await assert.rejects(files.write(c, pieces(500)), { code: 'FILES_FULL' });
  await files.sweep();
  await files.write(c, pieces(500));
  assert.deepEqual(await files.list(), []);
});

test('what killed gateways left is removed, and what is being written is not', async (t) => {
  const folder = await temporaryFolder(t);
  const files = createFileStore({ ...limits, folder });
  const longAgo = new Date(Date.now() - 30 * 24 * 3_600_000);
  await mkdir(join(folder, 'batch_old'));
  await mkdir(join(folder, 'batch_new'));
  for (const [name, isOld] of [
    [`${idOf('1')}.jsonl`, true],
    [`${idOf('2')}.jsonl`, false],
    ['x.jsonl.1.part', true],
    ['y.jsonl.2.part', false],
  ] as const) {
    await writeFile(join(folder, name), 'x');
    if (isOld) await utimes(join(folder, name), longAgo, longAgo);
  }
  await utimes(join(folder, 'batch_old'), longAgo, longAgo);
  await files.sweep();
  assert.deepEqual(
    (await readdir(folder)).sort(),
    ['batch_new', `${idOf('2')}.jsonl`, 'y.jsonl.2.part'].sort(),
  );
});

test('OpenAI’s client uploads, lists by pages, reads and deletes files', async (t) => {
  const gateway = await startGateway(
    await startFleet(t),
    '--file-bytes-max',
    '100000',
    '--files-bytes-max',
    '250000',
  );
  const openai = new OpenAI({ baseURL: `${gateway.url}/v1`, apiKey: 'none', maxRetries: 0 });
  const upload = async (text: string, more: object = {}) =>
    openai.files.create({
      file: await toFile(Buffer.from(text), 'in.jsonl'),
      purpose: 'batch',
      ...more,
    } as OpenAI.FileCreateParams);
  const first = await upload('one\n');
  assert.deepEqual(
    [first.bytes, first.filename, first.purpose, first.status],
    [4, 'in.jsonl', 'batch', 'processed'],
  );
  const second = await upload('two', { expires_after: { anchor: 'created_at', seconds: 3_600 } });
  assert.equal(second.expires_at! - second.created_at, 3_600);
  assert.equal(first.expires_at! - first.created_at, 30 * 24 * 3_600);
  assert.equal(await (await openai.files.content(first.id)).text(), 'one\n');
  assert.deepEqual(await openai.files.retrieve(second.id), second);

  const listed: string[] = [];
  for await (const { id } of openai.files.list({ limit: 1 })) listed.push(id);
  assert.deepEqual(listed.sort(), [first.id, second.id].sort());
  assert.deepEqual((await openai.files.list({ purpose: 'batch_output' })).data, []);

  assert.deepEqual(await openai.files.delete(first.id), { id: first.id, object: 'file', deleted: true });
  await assert.rejects(openai.files.retrieve(first.id), { status: 404, code: 'FILE_UNKNOWN' });
  await assert.rejects(openai.files.content(first.id), { status: 404 });
  await assert.rejects(upload('x', { purpose: 'fine-tune' }), { status: 400, code: 'REQUEST_INVALID' });
  await assert.rejects(upload(''), { status: 400, code: 'REQUEST_INVALID' });
  await assert.rejects(upload('x'.repeat(100_001)), { status: 413, code: 'REQUEST_TOO_LARGE' });
  await upload('x'.repeat(99_000));
  await upload('x'.repeat(99_000));
  await assert.rejects(upload('x'.repeat(99_000)), { status: 503, code: 'FILES_FULL' });
  assert.equal((await openai.files.list()).data.length, 3);
  const batch = { input_file_id: first.id, endpoint: '/v1/embeddings', completion_window: '24h' } as const;
  await assert.rejects(openai.batches.create(batch), { status: 404, code: 'FILE_UNKNOWN' });
  await assert.rejects(openai.batches.retrieve('batch_none'), { status: 404, code: 'BATCH_UNKNOWN' });
});
