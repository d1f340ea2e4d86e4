// Compiles into dist, and removes from dist what has no source any more.
//
// dist is never emptied first: workers that run from it load their threads and commands when they need them. It is plain
// JavaScript, because nothing is compiled yet when it runs.
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, rmdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../', import.meta.url));
const dist = join(root, 'dist');

/** The sources that a compiled file may come from, by its ending. */
const sources = [
  [/\.js(\.map)?$/, ['.ts', '.mjs']],
  [/\.cjs(\.map)?$/, ['.cts']],
  [/\.d\.ts$/, ['.ts']],
  [/\.d\.cts$/, ['.cts']],
];

compile('typescript/bin/tsc', '-p', 'tsconfig.json');
compile('assemblyscript/bin/asc.js', 'assembly/resample.ts', '--config', 'assembly/asconfig.json');
prune(dist);

function compile(program, ...args) {
  const path = join(root, 'node_modules', program);
  const { status } = spawnSync(process.execPath, [path, ...args], { cwd: root, stdio: 'inherit' });
  if (status !== 0) process.exit(status ?? 1);
}

/** Removes stale files, and folders that have become empty. */
function prune(folder) {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) prune(path);
    else if (!hasSource(path)) rmSync(path);
  }
  if (folder !== dist && readdirSync(folder).length === 0) rmdirSync(folder);
}

function hasSource(path) {
  const source = join(root, path.slice(dist.length + 1));
  const endings = sources.find(([pattern]) => pattern.test(source));
  // What is no compiled module was put there by another step of the build.
  if (!endings) return true;
  const [pattern, all] = endings;
  return all.some((ending) => existsSync(source.replace(pattern, ending)));
}
