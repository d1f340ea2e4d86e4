// Runs the compiled tests: all of them, or those below the folders given, such as `worker/fetch`.
// With --long it runs those that take minutes, the `*.long.ts`, instead of the `*.test.ts`; with --wider the `*.wider.ts`, which
// need what `npm run setup -- --all` brings. With --list it prints which files it would run; with --unit it leaves out those that
// start processes or a Redis.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import fastGlob from 'fast-glob';

const root = fileURLToPath(new URL('../../', import.meta.url));
const { values, positionals } = parseArgs({
  options: {
    list: { type: 'boolean' },
    unit: { type: 'boolean' },
    long: { type: 'boolean' },
    wider: { type: 'boolean' },
  },
  allowPositionals: true,
});

const kind = values.long ? 'long' : values.wider ? 'wider' : 'test';
const sources = await fastGlob(`test/**/*.${kind}.ts`, { cwd: root });
const isWanted = (path: string) =>
  positionals.length === 0 || positionals.some((folder) => path.startsWith(`test/${folder}`));

/** Whether a test file, or a file of test/support that it imports, can start a process or a Redis. */
async function startsProcesses(path: string): Promise<boolean> {
  const text = await readFile(join(root, path), 'utf8');
  if (/\bstartFleet\b|node:child_process|\bleaseLocalRedis\b|\bopenDecoders\b/.test(text)) return true;
  const imports = [...text.matchAll(/'(\.[^']*\/support\/|\.\/)([\w-]+\.ts)'/g)].map((match) => match[2]!);
  // fleet.ts has paths that every test may name; who starts a fleet says startFleet.
  const support = imports
    .map((name) => `test/support/${name}`)
    .filter((file) => file !== 'test/support/fleet.ts');
  for (const file of support) if (existsSync(join(root, file)) && (await startsProcesses(file))) return true;
  return false;
}

const wanted: string[] = [];
for (const path of sources.filter(isWanted)) {
  if (!(values.unit && (await startsProcesses(path)))) wanted.push(path);
}
const files = wanted.sort().map((source) => `dist/${source.replace(/\.ts$/, '.js')}`);

const missing = files.filter((file) => !existsSync(join(root, file)));
if (files.length === 0 || missing.length > 0) {
  const what = files.length === 0 ? `a test below test/{${positionals}}` : missing.join(', ');
  process.stderr.write(`Expected ${what}, got none: run \`npm run build\`, or name a folder below test.\n`);
  process.exitCode = 1;
} else if (values.list) {
  process.stdout.write(`${files.join('\n')}\n`);
} else {
  const reporters = [
    ...[`--test-reporter=${process.stdout.isTTY ? 'spec' : 'tap'}`, '--test-reporter-destination=stdout'],
    ...[`--test-reporter=${fileURLToPath(new URL('skipReporter.js', import.meta.url))}`],
    ...['--test-reporter-destination=stderr'],
  ];
  const options = ['--enable-source-maps', '--test', '--test-concurrency=2', ...reporters];
  const { status } = spawnSync(process.execPath, [...options, ...files], { cwd: root, stdio: 'inherit' });
  process.exitCode = status ?? 1;
}
