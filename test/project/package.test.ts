// The package as somebody else has it: packed, unpacked into another folder's node_modules, run, and compiled against.
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { cp, mkdir, readdir, readFile, rename, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { pictures, repository } from '../support/fleet.ts';
import { temporaryFolder } from '../support/support.ts';

/** Bytes of the package as it is downloaded, and unpacked: a file that slips in shows. */
const [PACKED_MAX, UNPACKED_MAX] = [11_000_000, 14_000_000];

interface Packed {
  folder: string;
  files: string[];
  size: number;
  unpackedSize: number;
}

/** A folder whose node_modules has the packed package, and links to what this repository's dependencies are. */
async function installPacked(t: TestContext): Promise<Packed> {
  const folder = await temporaryFolder(t);
  const pack = ['pack', '--json', '--ignore-scripts', '--pack-destination', folder];
  const [packed] = JSON.parse(execFileSync('npm', pack, { cwd: repository, encoding: 'utf8' }));
  execFileSync('tar', ['-xzf', join(folder, packed.filename), '-C', folder]);
  const modules = join(folder, 'node_modules');
  await mkdir(modules);
  await rename(join(folder, 'package'), join(modules, 'clipfleet'));
  const theirs = join(repository, 'node_modules');
  for (const name of await readdir(theirs))
    if (!name.startsWith('.')) await symlink(join(theirs, name), join(modules, name));
  const { size, unpackedSize } = packed;
  return { folder, size, unpackedSize, files: packed.files.map(({ path }: { path: string }) => path) };
}

const consumer = `
import { connectRedis, createProducer, defineLabelSet } from 'clipfleet';
import { type ClassifierOptions, createClassifier } from 'clipfleet/classifier';
const options: ClassifierOptions = { model: 'models/demo' };
export async function label(): Promise<string[]> {
  const classifier = await createClassifier(options);
  const predictions = await classifier.classify(new Uint8Array(), ['fox', 'owl']);
  await classifier.close();
  return predictions.map(({ label }) => label);
}
export async function produce(): Promise<void> {
  const redis = await connectRedis({ url: undefined });
  const producer = createProducer({ redis });
  await producer.openRun({ model: 'm', labelSet: defineLabelSet({ labels: ['fox', 'owl'] }) });
}
`;

const service = `
import { type Client, ClipfleetError, createClient, type Row } from 'clipfleet/client';
import { Redis } from 'ioredis';
export async function serve(signal: AbortSignal): Promise<string | undefined> {
  await using client: Client = await createClient({ url: 'http://localhost:8321', key: 'k' });
  const other = await createClient({ redis: new Redis(), prefix: 'p', patienceMs: 100 });
  await other.close();
  const run = await client.openRun({ labels: { labels: ['fox', 'owl'], topK: 1 }, signal });
  await run.add([{ id: 'a', uri: 'owl.jpg' }, 'fox.jpg'], { seal: true, signal });
  for await (const { done, state } of run.events({ signal })) if (state === 'complete') console.log(done);
  for await (const row of run.results({ follow: true, signal }))
    if (row.status === 'classified') return row.predictions[0]?.label;
  const row: Row | undefined = await run.row('a');
  return row?.id;
}
export const code = (error: unknown) => (error instanceof ClipfleetError ? error.code : undefined);
// @ts-expect-error one way to a fleet
export const both = createClient({ url: 'http://localhost:8321', redisUrl: 'redis://localhost' });
`;

/** Of TypeScript's own resolutions, node16 lets a CommonJS file load this package by import() alone. */
const commonJs = {
  node16: `export const labels = async () => (await import('clipfleet/client')).createClient({ url: 'http://localhost' });`,
  nodenext: `import { createClient } from 'clipfleet/client';\nexport const client = createClient({ url: 'http://localhost' });`,
};

test('the packed package runs, compiles in strict projects, and has what it needs and no more', async (t) => {
  const { folder, files, size, unpackedSize } = await installPacked(t);
  assert.ok(size <= PACKED_MAX && unpackedSize <= UNPACKED_MAX, `${size} and ${unpackedSize} bytes`);
  const { bin, version } = JSON.parse(
    await readFile(join(folder, 'node_modules/clipfleet/package.json'), 'utf8'),
  );
  for (const file of [
    bin.clipfleet,
    'models/demo/model.safetensors',
    'dist/src/worker/resize/resample.wasm',
    'dist/src/worker/decoders/decoderChild.js',
    'README.md',
    'LICENSE',
  ])
    assert.ok(files.includes(file), file);
  const others = files.filter(
    (path) =>
      !/^(dist\/src|src\/gateway\/page|models\/demo|examples\/pictures)\/|^scripts\/beforeInstall\.mjs$|^[A-Z]+(\.md)?$|^package\.json$/.test(
        path,
      ),
  );
  assert.deepEqual(others, []);
  assert.deepEqual(
    files.filter((path) => /\.(map|py|test\.js)$/.test(path) && !path.includes('/training/')),
    [],
  );

  await cp(join(pictures, 'owl.jpg'), join(folder, 'owl.jpg'));
  const run = (...args: string[]) => {
    const env = { PATH: process.env.PATH, HOME: folder };
    const start = join(folder, 'node_modules/clipfleet', bin.clipfleet);
    return spawnSync(process.execPath, [start, ...args], { cwd: folder, encoding: 'utf8', env });
  };
  assert.equal(run('--version').stdout.trim(), version);
  const labeled = run('label', 'owl.jpg', '--labels', 'fox,owl', '--model', 'models/demo');
  assert.match(labeled.stdout, /^owl\.jpg +owl /m, labeled.stderr);

  const required = `const { createClient } = require('clipfleet/client'); createClient({ url: 'none' }).catch(({ code }) => console.log(code));`;
  const inCommonJs = spawnSync(process.execPath, ['--input-type=commonjs', '-e', required], {
    cwd: folder,
    encoding: 'utf8',
  });
  assert.equal(inCommonJs.stdout, 'USAGE\n', inCommonJs.stderr);

  await writeFile(join(folder, 'consumer.mts'), consumer);
  await writeFile(join(folder, 'service.mts'), service);
  for (const [module, moduleResolution] of [
    ['node16', 'node16'],
    ['nodenext', 'nodenext'],
    ['esnext', 'bundler'],
  ]) {
    const required = commonJs[moduleResolution as keyof typeof commonJs];
    if (required) await writeFile(join(folder, 'required.cts'), required);
    const files = ['consumer.mts', 'service.mts', ...(required ? ['required.cts'] : [])];
    const strict = { strict: true, exactOptionalPropertyTypes: true, skipLibCheck: false, noEmit: true };
    const compilerOptions = { ...strict, target: 'es2022', module, moduleResolution, types: ['node'] };
    await writeFile(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions, files }));
    const compiler = join(repository, 'node_modules/typescript/bin/tsc');
    const { stdout } = spawnSync(process.execPath, [compiler, '-p', folder], {
      cwd: folder,
      encoding: 'utf8',
    });
    const ours = stdout
      .split('\n')
      .filter((line) => /^(consumer|service|required|node_modules\/clipfleet\/)/.test(line));
    assert.deepEqual(ours, [], `${moduleResolution}: what the declarations of other packages have is theirs`);
  }
});
