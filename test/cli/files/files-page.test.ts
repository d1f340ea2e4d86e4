// The commands of docs/files.md, run one after the other, print what the page shows.
import assert from 'node:assert/strict';
import { cp, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { pictures, repository, startFleet } from '../../support/fleet.ts';
import { treeOf } from '../../support/tree.ts';

/** Lines up to their numbers: scores may differ in the last digit from machine to machine. */
const words = (text: string) =>
  text
    .split('\n')
    .map((line) => line.replace(/\d+(\.\d+)?/g, '#').trim())
    .filter((line) => line !== '');

/** The commands of a page with what it shows of their output. */
function shownCommands(page: string): { args: string[]; target: string | undefined; shown: string }[] {
  const blocks = [...page.matchAll(/```console\n([\s\S]*?)```/g)].map(([, block]) => block!);
  return blocks.flatMap((block) =>
    block
      .split(/^\$ npx clipfleet /m)
      .slice(1)
      .map((text) => {
        const [line, ...shown] = text.split('\n');
        const [command, target] = line!.split(' > ');
        const args = [...command!.matchAll(/"([^"]*)"|(\S+)/g)].map(([, quoted, plain]) => quoted ?? plain!);
        return { args, target, shown: shown.join('\n') };
      }),
  );
}

test('the page shows what its commands print, and an undo leaves the pictures as they were', async (t) => {
  const fleet = await startFleet(t);
  await cp(pictures, join(fleet.folder, 'pictures'), { recursive: true });
  await cp(join(repository, 'models'), join(fleet.folder, 'models'), { recursive: true });
  const before = await treeOf(join(fleet.folder, 'pictures'));
  const page = await readFile(join(repository, 'docs/files.md'), 'utf8');
  for (const { args, target, shown } of shownCommands(page)) {
    const { code, stdout, stderr } = await fleet.run(...args);
    assert.equal(code, 0, `${args.join(' ')}: ${stderr}`);
    if (target !== undefined) continue;
    assert.deepEqual(words(stdout + stderr), words(shown), args.join(' '));
  }
  assert.deepEqual(await treeOf(join(fleet.folder, 'pictures')), before);
});
