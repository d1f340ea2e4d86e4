// The rules of style that a program can check. A rule that is wrong is changed here, not passed over.
import assert from 'node:assert/strict';
import { basename } from 'node:path';
import { test } from 'node:test';
import { filesOf } from '../support/repositoryFiles.ts';

const fileLinesMax = 200;
const functionLinesMax = 70;

const source = await filesOf('src/**/*.{ts,cts}');

test('a file has at most 200 lines', () => {
  for (const { path, text } of source) {
    const lines = text.split('\n').length - 1;
    assert.ok(lines <= fileLinesMax, `${path} has ${lines} lines`);
  }
});

test('a function has at most 70 lines of its own', () => {
  let count = 0;
  for (const { path, text } of source) {
    for (const { line, length } of functionsIn(text.split('\n'))) {
      count++;
      assert.ok(length <= functionLinesMax, `the function in ${path}, line ${line}, has ${length} lines`);
    }
  }
  assert.ok(count > source.length, `only ${count} functions found`);
});

/**
 * The blocks that are functions, by their form after formatting: the line that opens one, and the first later one of the
 * same indentation that closes it. Functions inside count by themselves, as the methods of a class would.
 */
function functionsIn(lines: string[]): { line: number; length: number }[] {
  const blocks = lines.flatMap((text, from) => {
    if (!opensFunction(text)) return [];
    const indentation = /^ */.exec(text)![0];
    const to = lines.findIndex((later, i) => i > from && later.startsWith(`${indentation}}`));
    return [{ from, to }];
  });
  return blocks.map(({ from, to }) => {
    const inside = blocks.filter((other) => other.from > from && other.to < to);
    const outermost = inside.filter(
      (block) => !inside.some((of) => of.from < block.from && of.to > block.to),
    );
    const others = outermost.reduce((sum, block) => sum + block.to - block.from + 1, 0);
    return { line: from + 1, length: to - from + 1 - others };
  });
}

function opensFunction(line: string): boolean {
  if (/^ *(if|for|while|switch|\} catch|\} else)\b/.test(line)) return false;
  return /=> \{$|\bfunction\b.*\{$|^ *\).*\{$|^ *(async |get |\*)*\w+\(.*\{$/.test(line);
}

test('functions are found and measured', () => {
  const body = Array(5).fill('    work();');
  const inner = ['  async function inner(a: string): Promise<void> {', ...body, '  }'];
  const method = ['  return {', '    async put(x) {', ...body, '    },', '  };'];
  const loop = ['  for (const x of y) {', ...body, '  }'];
  const lines = ['export function outer(', '  a: string,', ') {', ...inner, ...loop, ...method, '}'];
  assert.deepEqual(
    functionsIn(lines).map(({ length }) => length),
    [11, 7, 7],
  );
});

test('a file’s name says its job', () => {
  for (const { path } of source) {
    assert.doesNotMatch(
      basename(path, '.ts'),
      /^(utils?|helpers?|types|interfaces|common|misc|constants)$/i,
      path,
    );
  }
});

test('no text names a place on somebody’s machine', async () => {
  const texts = await filesOf('**/*.{ts,mjs,js,json,md,yml,yaml,py,sh}');
  const others = await filesOf('{Dockerfile,.npmrc,.dockerignore,.gitignore,.ci/*}');
  const place = /(?:^|[\s"'`(=:])\/(?:home|root|Users|work|workspace|private)\/[\w.-]+/m;
  for (const { path, text } of [...texts, ...others]) {
    if (path !== 'test/tidy.test.ts') assert.doesNotMatch(text, place, path);
  }
});
