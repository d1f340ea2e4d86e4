// The package as somebody else has it: packed, unpacked into another folder's node_modules, run, and compiled against.
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { cp, mkdir, readdir, readFile, rename, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { pictures, repository } from '../support/fleet.ts';
import { temporaryFolder } from '../support/support.ts';

interface Packed {
  folder: string;
  files: string[];
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
  return { folder, files: packed.files.map(({ path }: { path: string }) => path) };
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

test('the packed package runs, compiles in strict projects, and has what it needs and no more', async (t) => {
  const { folder, files } = await installPacked(t);
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

  await writeFile(join(folder, 'consumer.mts'), consumer);
  for (const [module, moduleResolution] of [
    ['node16', 'node16'],
    ['nodenext', 'nodenext'],
    ['esnext', 'bundler'],
  ]) {
    const strict = { strict: true, exactOptionalPropertyTypes: true, skipLibCheck: false, noEmit: true };
    const compilerOptions = { ...strict, target: 'es2022', module, moduleResolution, types: ['node'] };
    await writeFile(
      join(folder, 'tsconfig.json'),
      JSON.stringify({ compilerOptions, files: ['consumer.mts'] }),
    );
    const compiler = join(repository, 'node_modules/typescript/bin/tsc');
    const { stdout } = spawnSync(process.execPath, [compiler, '-p', folder], {
      cwd: folder,
      encoding: 'utf8',
    });
    const ours = stdout.split('\n').filter((line) => /^(consumer|node_modules\/clipfleet\/)/.test(line));
    assert.deepEqual(ours, [], `${moduleResolution}: what the declarations of other packages have is theirs`);
  }
});
