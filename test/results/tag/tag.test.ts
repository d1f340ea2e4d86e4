// Keywords in sidecars: merged, left alone, undone.
import assert from 'node:assert/strict';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import fc from 'fast-check';
import { readActionLog, writeActionLog } from '../../../src/results/actions/actionLog.ts';
import { tagFiles, undoTags } from '../../../src/results/tag/tagFiles.ts';
import { createTagPlan, type TagRules, type TagStep } from '../../../src/results/tag/tagPlan.ts';
import { withTags } from '../../../src/results/tag/txtSidecar.ts';
import { withKeywords, withoutKeywords } from '../../../src/results/tag/xmpSidecar.ts';
import { formatFileUri } from '../../../src/shared/refs/fileUri.ts';
import { classifiedRow } from '../../support/exportedRows.ts';
import { temporaryFolder } from '../../support/support.ts';
import { treeOf } from '../../support/tree.ts';

/** A sidecar of a person: other prefixes than ours, keywords, a rating and a comment. */
const theirs = (keywords: readonly string[]) => `<?xpacket begin="" id="W5M0MpCehiHzreSzNTczkc9d"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/" x:xmptk="somebody">
 <!-- kept -->
 <r:RDF xmlns:r="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
  <r:Description r:about="" xmlns:d="http://purl.org/dc/elements/1.1/" xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmp:Rating="4">
   <d:subject><r:Bag>${keywords.map((of) => `<r:li>${of.replaceAll('&', '&amp;').replaceAll('<', '&lt;')}</r:li>`).join('')}</r:Bag></d:subject>
   <d:title><r:Alt><r:li xml:lang="x-default">Grey &amp; old</r:li></r:Alt></d:title>
  </r:Description>
 </r:RDF>
</x:xmpmeta>
<?xpacket end="w"?>`;

const keywordsIn = (xmp: string) =>
  [.../<(\w+):subject.*?<\/\1:subject>/s.exec(xmp)![0].matchAll(/<\w+:li>([^<]*)<\/\w+:li>/g)].map(
    ([, of]) => of!,
  );

test('a sidecar keeps what it has and gets what is new, once', () => {
  const before = theirs(['lake', 'owl']);
  const merged = withKeywords(before, ['owl', 'bear', 'animal/bird'])!;
  assert.deepEqual(merged.added, ['bear', 'animal/bird']);
  assert.deepEqual(keywordsIn(merged.text), ['lake', 'owl', 'bear', 'animal/bird']);
  assert.match(merged.text, /hierarchicalSubject.*<r:li>animal\|bird<\/r:li>/s);
  assert.match(merged.text, /TagsList.*<r:li>animal\/bird<\/r:li>/s);
  for (const kept of [
    '<!-- kept -->',
    'xmp:Rating="4"',
    'x:xmptk="somebody"',
    'Grey &amp; old',
    '<?xpacket end="w"?>',
  ])
    assert.ok(merged.text.includes(kept), kept);
  assert.deepEqual(withKeywords(merged.text, ['owl', 'bear', 'animal/bird']), {
    text: merged.text,
    added: [],
  });
});

test('a keyword that somebody took out stays out, and one that they put in stays in', () => {
  const merged = withKeywords(undefined, ['owl', 'bear'])!.text;
  const edited = merged.replace(/<rdf:li>owl<\/rdf:li>/, '<rdf:li>mine</rdf:li>');
  const again = withKeywords(edited, ['owl', 'bear', 'fox'])!;
  assert.deepEqual(keywordsIn(again.text), ['mine', 'bear', 'fox']);
  const undone = withoutKeywords(again.text, ['bear', 'fox'])!;
  assert.deepEqual(keywordsIn(undone), ['mine']);
});

test('1,000 random merges lose nothing, add each label once, and are the same the second time', () => {
  const word = fc
    .string({
      unit: fc.constantFrom('a', 'b', '&', '<', ' ', 'ü', '日', '"', "'"),
      minLength: 1,
      maxLength: 6,
    })
    .map((text) => `k${text}k`);
  const words = fc.uniqueArray(word, { maxLength: 6 });
  const raw = (of: string) => of.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
  fc.assert(
    fc.property(words, words, words, (own, first, second) => {
      const one = withKeywords(theirs(own), first)!;
      const two = withKeywords(one.text, second)!;
      const all = [...new Set([...own, ...first, ...second])];
      assert.deepEqual(keywordsIn(two.text), all.map(raw));
      assert.deepEqual(withKeywords(two.text, [...second, ...first]), { text: two.text, added: [] });
      const back = withoutKeywords(two.text, [...one.added, ...two.added])!;
      assert.deepEqual(own.length === 0 ? [] : keywordsIn(back), own.map(raw));
      assert.ok(two.text.includes('xmp:Rating="4"') && two.text.includes('<!-- kept -->'));
    }),
    { numRuns: 1_000 },
  );
});

test('what is no XMP is left alone', () => {
  for (const text of [
    '',
    'no markup',
    '<a>',
    '<a/>',
    '<x:xmpmeta xmlns:x="adobe:ns:meta/"/>',
    theirs([]).slice(0, 300),
  ])
    assert.equal(withKeywords(text, ['owl']), undefined, text);
});

test('tags for trainers follow what is there', () => {
  assert.deepEqual(withTags(undefined, ['owl', 'night']), { text: 'owl, night\n', added: ['owl', 'night'] });
  assert.equal(withTags('1girl,  long hair,', ['owl', 'long hair']).text, '1girl,  long hair, owl\n');
  assert.equal(withTags('owl', ['owl']).text, 'owl');
});

async function planned(log: string, paths: string[], rules: Partial<TagRules>) {
  const plan = createTagPlan({
    format: 'xmp',
    sidecar: 'name',
    accepted: () => ['owl'],
    roots: new Map(),
    ...rules,
  });
  async function* rows() {
    for (const path of paths) yield { ...classifiedRow(path, [['owl', 0.9]]), uri: formatFileUri(path) };
  }
  await writeActionLog(log, { action: 'tag', run: 'r' }, plan.steps(rows()));
  return { plan, log: await readActionLog<TagStep>(log, 'tag') };
}

test('sidecars are written, undone byte for byte, and edits in between survive', async (t) => {
  const folder = await temporaryFolder(t);
  const logs = await temporaryFolder(t);
  const at = (name: string) => join(folder, name);
  const names = ['new.jpg', 'old.jpg', 'bad.jpg', 'edited.jpg'];
  for (const name of names) await writeFile(at(name), name);
  await writeFile(at('old.jpg.xmp'), `\uFEFF${theirs(['lake'])}`);
  await writeFile(at('bad.jpg.xmp'), 'no markup');
  const before = await treeOf(folder);
  const paths = [...names, 'gone.jpg'].map(at);
  const first = await planned(join(logs, 'one'), paths, {});
  assert.deepEqual(first.plan.leftOut(), [
    'Left out: 1 images whose sidecar is no xmp.',
    'Left out: 1 images whose file is no longer there.',
  ]);
  assert.equal((await tagFiles(first.log)).files, 3);
  assert.deepEqual(keywordsIn(await readFile(at('old.jpg.xmp'), 'utf8')), ['lake', 'owl']);
  const tagged = await treeOf(folder);
  const second = await planned(join(logs, 'two'), paths, {});
  assert.deepEqual([second.plan.written(), second.plan.inPlace()], [0, 3]);
  assert.deepEqual(await treeOf(folder), tagged);

  const edited = (await readFile(at('edited.jpg.xmp'), 'utf8')).replace(
    '<rdf:Bag>',
    '<rdf:Bag><rdf:li>mine</rdf:li>',
  );
  await writeFile(at('edited.jpg.xmp'), edited);
  assert.equal((await undoTags(first.log)).files, 3);
  assert.deepEqual(keywordsIn(await readFile(at('edited.jpg.xmp'), 'utf8')), ['mine']);
  await rm(at('edited.jpg.xmp'));
  const bytes = (tree: Record<string, string>) =>
    Object.entries(tree).map(([path, of]) => [path, of.split(' ').at(-1)]);
  assert.deepEqual(bytes(await treeOf(folder)), bytes(before));
});

test('a sidecar that two images would share is written for the first', async (t) => {
  const folder = await temporaryFolder(t);
  const paths = ['a.jpg', 'a.png'].map((name) => join(folder, name));
  for (const path of paths) await writeFile(path, path);
  const { plan, log } = await planned(join(folder, 'log'), paths, { sidecar: 'stem' });
  assert.deepEqual(plan.leftOut(), ['Left out: 1 images whose sidecar another image has as well.']);
  await writeFile(join(folder, 'a.xmp'), 'somebody was here');
  const { files, left } = await tagFiles(log);
  assert.deepEqual([files, [...left.keys()]], [0, ['sidecars that were changed meanwhile']]);
});
