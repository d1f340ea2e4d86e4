import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { promisify } from 'node:util';
import { startFile } from '../support/fleet.ts';
import { temporaryFolder } from '../support/support.ts';

/** What the command prints, and every file that its process loaded, as V8's coverage lists them. */
async function loadedBy(t: TestContext, ...args: string[]): Promise<{ stdout: string; files: string[] }> {
  const folder = await temporaryFolder(t);
  const env = { ...process.env, NODE_V8_COVERAGE: folder };
  const { stdout } = await promisify(execFile)(process.execPath, [startFile, ...args], { env });
  const reports = await Promise.all(
    (await readdir(folder)).map((name) => readFile(join(folder, name), 'utf8')),
  );
  const scripts = reports.flatMap((text) => (JSON.parse(text) as { result: { url: string }[] }).result);
  return { stdout, files: scripts.map(({ url }) => url).filter((url) => url.startsWith('file:')) };
}

const isHeavy = (file: string) =>
  /\/cli\/commands\/|\/node_modules\/(bullmq|ioredis|zod|undici|sharp|onnxruntime|@huggingface)/.test(file);

test('the version and the list of commands need none of the commands', async (t) => {
  for (const args of [['--version'], ['--help']]) {
    const { stdout, files } = await loadedBy(t, ...args);
    assert.ok(
      files.some((file) => file.endsWith('/cli/main.js')),
      'the command line itself was seen',
    );
    assert.deepEqual(files.filter(isHeavy), [], args.join());
    if (args[0] !== '--help') continue;
    assert.match(stdout, /^ {2}runs +List the runs/m);
    for (const line of stdout.split('\n')) assert.ok(line.length <= 80, line);
  }
});

test('a command is loaded alone, for its help too, however that is asked for', async (t) => {
  for (const args of [
    ['runs', '--help'],
    ['help', 'runs'],
  ]) {
    const { stdout, files } = await loadedBy(t, ...args);
    assert.match(stdout, /--format <FORMAT>/);
    const commands = files.filter((file) => file.includes('/cli/commands/'));
    assert.deepEqual(
      commands.map((file) => file.replace(/.*\//, '')),
      ['runs.js'],
    );
  }
});

test('the help of a command has the ten usual flags first, and the others in groups', async () => {
  const { stdout } = await promisify(execFile)(process.execPath, [startFile, 'label', '--help']);
  const [usual, ...groups] = stdout.slice(stdout.indexOf('Options:')).split(/\n\n(?=[A-Z])/);
  const flags = [...usual!.matchAll(/^ {2}(?:-o, )?(--[a-z-]+)/gm)].map(([, flag]) => flag);
  assert.deepEqual(flags.slice(0, 4), ['--labels', '--labels-file', '--model', '--output']);
  assert.equal(flags.length, 10);
  assert.ok(groups.some((group) => /^Redis and logging:\n {2}--redis-url /.test(group)));
  assert.doesNotMatch(stdout, /\.\. \[|\.\.\n/, 'a default that is a sentence has one full stop');
  const prose = stdout.split('\n').filter((line) => !line.startsWith('  $ '));
  for (const line of prose) assert.ok(line.length <= 80, line);
});
