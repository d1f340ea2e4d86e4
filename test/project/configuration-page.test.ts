import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { appendFile, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { Option } from '../../src/shared/options/option.ts';
import { optionGroups, options } from '../../src/shared/options/options.ts';
import { repository } from '../support/fleet.ts';
import { temporaryFolder } from '../support/support.ts';

const script = fileURLToPath(new URL('../../scripts/configurationPage.js', import.meta.url));
const start = fileURLToPath(new URL('../../src/cli/main.js', import.meta.url));

function runNode(...args: string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' });
  return { status, stdout, stderr };
}

test('the pages in docs are current', () => {
  assert.deepEqual(runNode(script, '--check'), { status: 0, stdout: '', stderr: '' });
});

test('a page that differs or is missing is named, with the remedy', async (t) => {
  const folder = await temporaryFolder(t);
  const absent = runNode(script, '--check', folder);
  assert.equal(absent.status, 1);
  assert.match(absent.stderr, /configuration\.md .*npm run docs/);
  assert.equal(runNode(script, folder).status, 0);
  assert.equal(runNode(script, '--check', folder).status, 0);
  await appendFile(join(folder, 'errors.md'), ' ');
  const changed = runNode(script, '--check', folder);
  assert.equal(changed.status, 1);
  assert.match(changed.stderr, /^docs\/errors\.md /);
});

test('every flag of every command is on the page, with that command', async () => {
  const page = await readFile(join(repository, 'docs/configuration.md'), 'utf8');
  const rows = page.split('\n').filter((line) => line.startsWith('| `--'));
  const commands = namesAfter('Commands:', runNode(start, '--help').stdout, /^ {2}([a-z]+)/).filter(
    (name) => name !== 'help',
  );
  assert.ok(commands.length >= 6, `expected the commands, got ${commands}`);
  for (const command of commands) {
    const flags = namesAfter('Options:', runNode(start, command, '--help').stdout, /^ {2}(--[a-z-]+)/);
    assert.ok(flags.length >= 2, `expected the flags of ${command}, got ${flags}`);
    for (const flag of flags) {
      const row = rows.find((line) => line.startsWith(`| \`${flag}\` |`));
      assert.ok(row, `${flag} of ${command} is not on the page`);
      const where = row.split(' | ').at(-1)!.replace(' |', '');
      const isSaid = where.startsWith('all')
        ? where !== `all but ${command}`
        : where.split(', ').includes(command);
      assert.ok(isSaid, `${flag} is not said to be of ${command}`);
    }
  }
});

function namesAfter(heading: string, help: string, pattern: RegExp): string[] {
  const lines = help.slice(help.indexOf(`\n${heading}\n`)).split('\n');
  return lines.flatMap((line) => pattern.exec(line)?.[1] ?? []);
}

test('every flag has an environment variable, no two share either, and every option is in a section', () => {
  const all = Object.values<Option<unknown>>(options);
  for (const { env, says } of all) {
    assert.match(env, /^[A-Z][A-Z_]*[A-Z]$/);
    assert.match(says, /\.$/);
  }
  assert.equal(new Set(all.map(({ env }) => env)).size, all.length);
  assert.equal(new Set(all.map(({ flag }) => flag)).size, all.length);
  assert.deepEqual(
    optionGroups.flatMap((group) => Object.keys(group.options)).sort(),
    Object.keys(options).sort(),
  );
});
