import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFile, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import {
  demoModel,
  type Fleet,
  jsonLines,
  pictures,
  repository,
  startFile,
  startFleet,
} from '../../support/fleet.ts';
import { serveHttp } from '../../support/imageServer.ts';
import { serveS3 } from '../../support/s3Server.ts';

const flags = ['--labels', 'fox,bear,owl,cat,car', '--model', demoModel, '--output', '-'];

interface Line {
  id: string;
  predictions?: { label: string }[];
  error?: { code: string };
}

/** Each row as its id and its best label, or its error. */
const said = (stdout: string) =>
  jsonLines<Line>(stdout).map(
    ({ id, predictions, error }) => `${id} ${predictions?.[0]?.label ?? error?.code}`,
  );

async function label(fleet: Fleet, ...args: string[]): Promise<string[]> {
  const { stdout, stderr, code } = await fleet.run('label', ...args, ...flags);
  assert.notEqual(code, 1, stderr);
  return said(stdout);
}

/** A shard of two pictures and what stands beside them, made by GNU tar. */
async function makeShard({ folder }: Fleet, name: string): Promise<string> {
  const samples = join(folder, 'samples');
  await mkdir(samples, { recursive: true });
  await copyFile(join(pictures, 'owl.jpg'), join(samples, '000.jpg'));
  await copyFile(join(pictures, 'cat.webp'), join(samples, '001.webp'));
  await writeFile(join(samples, '000.txt'), 'an owl');
  const archive = join(folder, name);
  execFileSync('tar', ['-C', samples, '-cf', archive, '000.jpg', '000.txt', '001.webp']);
  return archive;
}

test('lists are labeled row by row: CSV by gzip, Parquet, and rows without an image fail alone', async (t) => {
  const fleet = await startFleet(t);
  const csv = [
    'key,url',
    `1,${join(pictures, 'owl.jpg')}`,
    '2,',
    '3,gone.jpg',
    `4,${join(pictures, 'fox.jpg')}`,
  ];
  await writeFile(join(fleet.folder, 'a.csv.gz'), gzipSync(csv.join('\n')));
  assert.deepEqual(await label(fleet, 'a.csv.gz'), [
    '1 owl',
    '2 IMAGE_URI_INVALID',
    '3 IMAGE_NOT_FOUND',
    '4 fox',
  ]);
  assert.deepEqual(await label(fleet, join(repository, 'test/parquet/zstd.parquet')), [
    '0 owl',
    '1 car',
    '2 IMAGE_URI_INVALID',
    '3 cat',
    '4 fox',
  ]);
});

test('JSON lines come through standard input, with data: URLs among them', async (t) => {
  const fleet = await startFleet(t);
  const owl = await readFile(join(pictures, 'owl.jpg'));
  const lines = [
    { id: 'here', url: join(pictures, 'bear.png') },
    { id: 'inline', url: `data:image/jpeg;base64,${owl.toString('base64')}` },
  ];
  const child = spawn(process.execPath, [startFile, 'label', '-', ...flags], {
    cwd: fleet.folder,
    env: { ...process.env, ...fleet.env },
    stdio: ['pipe', 'pipe', 'ignore'],
  });
  t.after(() => child.kill('SIGKILL'));
  let stdout = '';
  child.stdout.setEncoding('utf8').on('data', (piece: string) => {
    stdout += piece;
  });
  child.stdin.end(gzipSync(lines.map((line) => JSON.stringify(line)).join('\n')));
  const [code] = await once(child, 'close');
  assert.equal(code, 0);
  assert.deepEqual(said(stdout), ['here bear', 'inline owl']);
});

test('members of archives are labeled where they lie: here, behind HTTP, in a bucket', async (t) => {
  const fleet = await startFleet(t);
  const archive = await makeShard(fleet, 'data-000.tar');
  await makeShard(fleet, 'data-001.tar');
  const ofShard = (shard: string) => [`${shard}/000.jpg owl`, `${shard}/001.webp cat`];
  const both = [...ofShard('data-000'), ...ofShard('data-001')];
  assert.deepEqual(await label(fleet, 'data-{000..001}.tar'), both);

  const content = await readFile(archive);
  const base = await serveHttp(t, (request, response) => {
    const [from, to] = /(\d+)-(\d+)$/
      .exec(request.headers.range ?? '')!
      .slice(1)
      .map(Number);
    const part = content.subarray(from, to! + 1);
    const range = `bytes ${from}-${from! + part.length - 1}/${content.length}`;
    response.writeHead(206, { 'content-range': range }).end(part);
  });
  assert.deepEqual(await label(fleet, `${base}/data-{000..001}.tar`, '--allow-private-addresses'), both);
  const refused = await fleet.run('label', `${base}/data-000.tar`, ...flags);
  assert.equal(refused.code, 1);
  assert.match(refused.stderr, /USAGE: .*data-000\.tar: Expected a public address/);

  const server = await serveS3(t);
  server.buckets = { shards: { 'data-000.tar': content, 'data-001.tar': content } };
  Object.assign(fleet.env, server.env);
  assert.deepEqual(await label(fleet, 's3://shards/data-{000..001}.tar'), both);
});

test('a fleet labels a bucket: the producer lists it, workers fetch from it', async (t) => {
  const fleet = await startFleet(t);
  const server = await serveS3(t);
  const objects = ['owl.jpg', 'fox.jpg', 'car.jpg', 'bear.png'].map(
    async (name) => [`photos/${name}`, await readFile(join(pictures, name))] as const,
  );
  server.buckets = {
    data: { ...Object.fromEntries(await Promise.all(objects)), 'photos/x.txt': Buffer.from('') },
  };
  Object.assign(fleet.env, server.env);
  fleet.start('worker', '--model', demoModel);
  const { stdout } = await fleet.run('enqueue', 's3://data/photos/', ...flags.slice(0, 4));
  await fleet.producer.waitFor(stdout.trim());
  const rows = await fleet.rows(stdout.trim());
  assert.deepEqual(rows.map(({ id, status }) => `${id} ${status}`).sort(), [
    's3://data/photos/bear.png classified',
    's3://data/photos/car.jpg classified',
    's3://data/photos/fox.jpg classified',
    's3://data/photos/owl.jpg classified',
  ]);
});
