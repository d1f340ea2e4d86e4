// What is exported is used: by another file, or by whoever imports the package.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { filesOf } from '../support/repositoryFiles.ts';

/** What package.json exports. */
const entries = ['src/index.ts', 'src/classifier.ts'];

test('a value that is exported is named in another file', async () => {
  const source = await filesOf('src/**/*.{ts,cts}');
  const all = [...source, ...(await filesOf('{test,bench,scripts,examples}/**/*.ts'))];
  const values = source.flatMap(({ path, text }) => {
    const names = text.matchAll(/^export (?:async )?(?:const|let|class|function\*?) (\w+)/gm);
    return [...names].map((match) => ({ path, name: match[1]! }));
  });
  assert.ok(values.length > source.length / 2, `only ${values.length} exports found`);
  const unused = values.filter(({ path, name }) => {
    const named = new RegExp(`\\b${name}\\b`);
    return !entries.includes(path) && !all.some((file) => file.path !== path && named.test(file.text));
  });
  assert.deepEqual(unused, []);
});

test('the classifier’s entry offers what its users need and no more', async () => {
  assert.deepEqual(Object.keys(await import('../../src/classifier.ts')).sort(), [
    'ClipfleetError',
    'buildLabelMatrix',
    'createClassifier',
    'defineLabelSet',
    'errorTable',
    'labelSetId',
    'namedTemplates',
    'openModel',
    'promptsOf',
    'rank',
  ]);
});
