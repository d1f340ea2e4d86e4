// The log events that docs/operations.md names are those that the programs write.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { repository } from '../support/fleet.ts';
import { filesOf } from '../support/repositoryFiles.ts';

test('each log event of the docs is written, at its level', async () => {
  const page = await readFile(join(repository, 'docs/operations.md'), 'utf8');
  const table = page.split('### Log events')[1]!.split('###')[0]!;
  const events = [...table.matchAll(/^\| `([^`]+)` \| (\w+) \|/gm)].filter(([, event]) => event !== 'msg');
  assert.ok(events.length > 10);
  const source = await filesOf('src/**/*.ts');
  const isWritten = (event: string, level: string) =>
    source.some(({ text }) => {
      const [before, after] = text.split(`'${event}'`);
      return after !== undefined && before!.slice(-250).includes(`log.${level}(`);
    });
  assert.deepEqual(
    events.filter(([, event, level]) => !isWritten(event!, level!)).map(([, event]) => event),
    [],
  );
});
