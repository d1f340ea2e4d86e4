// A name that stands for two things has to be looked up each time it is read.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { filesOf } from '../support/repositoryFiles.ts';

const source = await filesOf('src/**/*.{ts,cts}');

function exportedTypes(text: string): string[] {
  return [...text.matchAll(/^export (?:declare )?(?:interface|type|(?:abstract )?class|enum) (\w+)/gm)].map(
    ([, name]) => name!,
  );
}

test('no exported type has the name of another', () => {
  const sites = new Map<string, string[]>();
  for (const { path, text } of source)
    for (const name of exportedTypes(text)) sites.set(name, [...(sites.get(name) ?? []), path]);
  assert.deepEqual(
    [...sites].filter(([, paths]) => paths.length > 1),
    [],
  );
  assert.ok(sites.size > 100, `only ${sites.size} types found`);
});

test('types are found, and what is only passed on is not counted', () => {
  const text = [
    'export interface A {',
    'export type B =',
    'export class C extends A {',
    "export type { D } from './d.ts';",
    'interface E {',
  ];
  assert.deepEqual(exportedTypes(text.join('\n')), ['A', 'B', 'C']);
});
