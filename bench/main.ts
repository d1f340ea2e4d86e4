// Runs benches, each in a process of its own, and writes their sections of docs/benchmarks.md:
//   npm run bench                                 all of them
//   npm run bench -- pipeline --images 64         one, with arguments
//   npm run bench -- pipeline --help              its arguments
// `--print` leaves the page as it is; `--section NAME` writes under another name, to keep a variant beside the usual one.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { benches } from './benches.ts';
import { cores } from './commonArguments.ts';

const given = process.argv.slice(2);
const firstFlag = given.findIndex((word) => word.startsWith('-'));
const named = firstFlag < 0 ? given : given.slice(0, firstFlag);
const flags = firstFlag < 0 ? [] : given.slice(firstFlag);
const unknown = named.filter((name) => !(name in benches));
if (unknown.length > 0) {
  throw new Error(`Expected benches of ${Object.keys(benches).join(', ')}; got ${unknown.join(', ')}.`);
}

const script = fileURLToPath(new URL('./runBench.js', import.meta.url));
// The way in this process decodes on libuv's threads, whose number is settled before the first line of a program.
const env = { UV_THREADPOOL_SIZE: String(Math.max(4, cores)), ...process.env };
// A terminal sends the signal to the bench as well, which cleans up and ends; then nothing more is started.
let interrupted = false;
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.on(signal, () => {
    interrupted = true;
    running?.kill(signal);
  });
}

let running: ReturnType<typeof spawn> | undefined;
const failed: string[] = [];
for (const name of named.length > 0 ? named : Object.keys(benches)) {
  if (interrupted) break;
  running = spawn(process.execPath, [script, name, ...flags], { env, stdio: 'inherit' });
  const [code] = await once(running, 'exit');
  if (code !== 0) failed.push(name);
}
if (failed.length > 0) {
  process.stderr.write(`Failed: ${failed.join(', ')}.\n`);
  process.exitCode = 1;
}
