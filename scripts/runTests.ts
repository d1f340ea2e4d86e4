// Runs the compiled tests: all of them, or those below the folders given, such as `worker/fetch`.
// With --long it runs those that take minutes, the `*.long.ts`, instead of the `*.test.ts`. With --list it prints which
// files it would run.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import fastGlob from 'fast-glob';

const root = fileURLToPath(new URL('../../', import.meta.url));
const { values, positionals } = parseArgs({
  options: { list: { type: 'boolean' }, long: { type: 'boolean' } },
  allowPositionals: true,
});

const sources = await fastGlob(`test/**/*.${values.long ? 'long' : 'test'}.ts`, { cwd: root });
const isWanted = (path: string) =>
  positionals.length === 0 || positionals.some((folder) => path.startsWith(`test/${folder}`));
const files = sources
  .filter(isWanted)
  .sort()
  .map((source) => `dist/${source.replace(/\.ts$/, '.js')}`);

const missing = files.filter((file) => !existsSync(join(root, file)));
if (files.length === 0 || missing.length > 0) {
  const what = files.length === 0 ? `a test below test/{${positionals}}` : missing.join(', ');
  process.stderr.write(`Expected ${what}, got none: run \`npm run build\`, or name a folder below test.\n`);
  process.exitCode = 1;
} else if (values.list) {
  process.stdout.write(`${files.join('\n')}\n`);
} else {
  const options = ['--enable-source-maps', '--test', '--test-concurrency=2'];
  const { status } = spawnSync(process.execPath, [...options, ...files], { cwd: root, stdio: 'inherit' });
  process.exitCode = status ?? 1;
}
