// Sorting files into folders and undoing it, on real folders.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFile, link, mkdir, readFile, rm, stat, symlink, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { readActionLog, writeActionLog } from '../../../src/results/actions/actionLog.ts';
import { labelFolders } from '../../../src/results/sort/labelFolders.ts';
import { sortFiles } from '../../../src/results/sort/sortFiles.ts';
import { createSortPlan, type SortRules } from '../../../src/results/sort/sortPlan.ts';
import type { SortStep } from '../../../src/results/sort/sortStep.ts';
import { undoSort } from '../../../src/results/sort/undoSort.ts';
import { formatFileUri } from '../../../src/shared/refs/fileUri.ts';
import { classifiedRow, failedRow } from '../../support/exportedRows.ts';
import { temporaryFolder } from '../../support/support.ts';
import { treeOf } from '../../support/tree.ts';

const labels = ['fox', 'owl'];

/** A row of the file, whose best label has the score 0.9. */
function rowOf(path: string, label: string) {
  return { ...classifiedRow(path, [[label, 0.9]]), uri: formatFileUri(path) };
}

/** Files of a folder `pictures`, each with its path as content, and where they are to be sorted. */
async function scene(t: TestContext, names: readonly string[]) {
  const folder = await temporaryFolder(t);
  const paths = names.map((name) => join(folder, 'pictures', name));
  for (const path of paths) {
    await mkdir(join(path, '..'), { recursive: true });
    await writeFile(path, path);
  }
  return { folder, paths, pictures: join(folder, 'pictures'), into: join(folder, 'sorted') };
}

/** Writes the plan of these rows into a log. */
async function planned(log: string, rows: ReturnType<typeof rowOf>[], rules: Partial<SortRules>) {
  const plan = createSortPlan({
    by: 'move',
    into: '',
    folders: labelFolders(labels),
    isSure: () => true,
    roots: new Map(),
    ...rules,
  });
  async function* all() {
    yield* rows;
  }
  await writeActionLog(log, { action: 'sort', run: 'r' }, plan.steps(all()));
  return { plan, log: await readActionLog<SortStep>(log, 'sort') };
}

test('a move that is killed is undone byte for byte, wherever it was killed', async (t) => {
  const names = Array.from({ length: 1_000 }, (_, i) => `${i % 7}/${i >> 1}.jpg`);
  const { folder, pictures, into, paths } = await scene(t, names);
  const before = await treeOf(pictures);
  const program = fileURLToPath(new URL('./sort-process.js', import.meta.url));
  for (const last of [0, 500, 999]) {
    const path = join(folder, `${last}.jsonl`);
    const { log } = await planned(
      path,
      paths.map((each, i) => rowOf(each, labels[(i >> 1) % 2]!)),
      { into },
    );
    const child = spawn(process.execPath, [program, path, String(last)], { stdio: 'inherit' });
    assert.deepEqual(await once(child, 'close'), [null, 'SIGKILL']);
    assert.equal(Object.keys(before).length - Object.keys(await treeOf(pictures)).length, last);
    const { files, left } = await undoSort(log);
    assert.deepEqual([files, left.size], [last, 0]);
    assert.deepEqual(await treeOf(pictures), before);
    await assert.rejects(stat(into), { code: 'ENOENT' });
  }
});

test('what a kill leaves in the middle of one file is undone', async (t) => {
  const { folder, pictures, into, paths } = await scene(t, ['linked', 'cut', 'whole', 'back', 'gone', 'new']);
  const before = await treeOf(pictures);
  const { log } = await planned(
    join(folder, 'log'),
    paths.map((each) => rowOf(each, 'owl')),
    { into },
  );
  await mkdir(join(into, 'owl'), { recursive: true });
  const [linked, cut, whole, back, gone] = paths as [string, string, string, string, string];
  const there = (path: string) => join(into, 'owl', path.slice(pictures.length + 1));
  await link(linked, there(linked));
  await writeFile(there(cut), (await readFile(cut)).subarray(0, 5));
  await copyFile(whole, there(whole));
  // An undo that was killed on another file system.
  await copyFile(back, there(back));
  const [bytes, { atime, mtime }] = [await readFile(back), await stat(back)];
  await writeFile(back, bytes.subarray(0, 7));
  await utimes(there(back), atime, mtime);
  await rm(gone);
  const { left } = await undoSort(log);
  assert.deepEqual([...left], [['files that are in neither place', { count: 1, first: there(gone) }]]);
  const after = await treeOf(pictures);
  delete before.gone;
  assert.deepEqual(after, before);
});

test('what somebody has put there or changed stays', async (t) => {
  const { folder, into, paths } = await scene(t, ['a', 'b', 'c']);
  const rows = paths.map((each) => rowOf(each, 'owl'));
  const moved = await planned(join(folder, 'move'), rows, { into });
  await mkdir(join(into, 'owl'), { recursive: true });
  await writeFile(join(into, 'owl/a'), 'somebody else’s');
  const { files, failed } = await sortFiles(moved.log);
  assert.deepEqual([files, [...failed]], [2, [['EEXIST', { count: 1, first: paths[0]! }]]]);
  await writeFile(join(into, 'owl/b'), 'edited');
  await writeFile(paths[2]!, 'new');
  const { left } = await undoSort(moved.log);
  assert.deepEqual(
    [...left.values()].map(({ count }) => count),
    [2, 2],
  );
  const content = (path: string) => readFile(join(folder, path), 'utf8');
  assert.deepEqual(
    await Promise.all(['sorted/owl/a', 'pictures/b', 'sorted/owl/c', 'pictures/c'].map(content)),
    ['somebody else’s', 'edited', paths[2], 'new'],
  );
  assert.equal(await content('pictures/a'), paths[0]);
});

test('files go to another file system and back', { skip: process.platform !== 'linux' }, async (t) => {
  const { folder, pictures, paths } = await scene(t, ['a.jpg', 'b.jpg']);
  const into = join('/dev/shm', `clipfleet-test-${process.pid}`);
  t.after(() => rm(into, { recursive: true, force: true }));
  assert.notEqual((await stat('/dev/shm')).dev, (await stat(pictures)).dev);
  const before = await treeOf(pictures);
  const { log } = await planned(
    join(folder, 'log'),
    paths.map((each) => rowOf(each, 'fox')),
    { into },
  );
  const { files } = await sortFiles(log);
  assert.equal(files, 2);
  assert.deepEqual(await treeOf(pictures), {});
  assert.deepEqual(await treeOf(join(into, 'fox')), before);
  await undoSort(log);
  assert.deepEqual(await treeOf(pictures), before);
  await assert.rejects(stat(into), { code: 'ENOENT' });
});

for (const by of ['link', 'copy'] as const)
  test(`sorted by ${by}, a second time nothing is left to do, and undone nothing is there`, async (t) => {
    const { folder, pictures, into, paths } = await scene(t, ['a/x.jpg', 'b/x.jpg', 'b/X.jpg']);
    const before = await treeOf(folder);
    const rows = paths.map((each) => rowOf(each, 'owl'));
    const first = await planned(join(folder, 'log'), rows, { by, into });
    assert.equal((await sortFiles(first.log)).files, 3);
    assert.equal(first.plan.numbered(), 2);
    assert.deepEqual(Object.keys(await treeOf(into)), ['owl', 'owl/X-3.jpg', 'owl/x-2.jpg', 'owl/x.jpg']);
    assert.equal(await readFile(join(into, 'owl/x-2.jpg'), 'utf8'), paths[1]);
    const second = await planned(join(folder, 'second'), rows, { by, into });
    assert.deepEqual([second.plan.files.size, second.plan.inPlace()], [0, 3]);
    // The only copy that is left is nobody's to remove.
    await rm(paths[0]!);
    const { files, left } = await undoSort(first.log);
    assert.deepEqual([files, left.size], by === 'copy' ? [2, 2] : [3, 0]);
    if (by === 'link') delete before['pictures/a/x.jpg'];
    assert.equal((await treeOf(pictures))['b/x.jpg'], before['pictures/b/x.jpg']);
  });

test('what cannot be sorted is said', async (t) => {
  const { folder, into, paths } = await scene(t, ['a', 'b', 'c']);
  await symlink(paths[0]!, join(folder, 'link'));
  const owl = rowOf(paths[0]!, 'owl');
  const rows = [
    owl,
    { ...owl, uri: 'https://example.org/a.jpg' },
    { ...owl, uri: 'tar:512+10:root://./a.tar' },
    { ...owl, uri: 'root://shelf/a.jpg' },
    { ...owl, uri: 'data:,' },
    owl,
    rowOf(join(folder, 'none'), 'owl'),
    rowOf(join(folder, 'link'), 'owl'),
    rowOf(folder, 'owl'),
    failedRow('x', 'broken'),
    rowOf(paths[1]!, 'fox'),
  ];
  const isSure: SortRules['isSure'] = ({ uri }) => !uri.endsWith('/b');
  const { plan } = await planned(join(folder, 'log'), rows as typeof rows & ReturnType<typeof rowOf>[], {
    into,
    isSure,
  });
  assert.deepEqual([...plan.files], [[join(into, 'owl'), 1]]);
  assert.deepEqual(plan.leftOut(), [
    'Left out: 1 images behind URLs.',
    'Left out: 1 members of archives.',
    'Left out: 1 images of a root that is not known here (--root NAME=DIR says where it is).',
    'Left out: 1 images that lie in their list.',
    'Left out: 1 images whose file another image names as well.',
    'Left out: 1 images whose file is no longer there.',
    'Left out: 1 images that are links, which are not moved.',
    'Left out: 1 images that are no longer a file.',
    'Left out: 1 failed images.',
    'Left out: 1 images of which no label is sure (--unsure DIR takes them).',
  ]);
});

test('a label that is no name of a folder gets one, and no two labels share one', () => {
  const odd = [
    'a/b',
    'a_b',
    '..',
    'CON',
    ' owl ',
    'owl',
    'Owl',
    '.hidden',
    '?',
    'x'.repeat(300),
    'CAFÉ',
    'café',
  ];
  const folders = labelFolders(odd);
  assert.deepEqual(Object.fromEntries(folders), {
    'a/b': 'a_b-2',
    a_b: 'a_b',
    '..': '_',
    CON: '_-2',
    ' owl ': 'owl-3',
    owl: 'owl',
    Owl: 'Owl-2',
    '.hidden': '_hidden',
    '?': '_-3',
    [odd[9]!]: 'x'.repeat(240),
    CAFÉ: 'CAFÉ',
    café: 'café-2',
  });
});
