// The rules of style that a program can check. A rule that is wrong is changed here, not passed over.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { test } from 'node:test';
import fastGlob from 'fast-glob';
import { repository } from './fleet.ts';

const fileLinesMax = 200;
const functionLinesMax = 70;

/** Where each heavy library is imported, besides its types: what it does stands behind plain data there. */
const importSites: Record<string, string[]> = {
  sharp: ['src/worker/decode.ts'],
  'onnxruntime-node': ['src/worker/graph.ts'],
  '@huggingface/transformers': ['src/worker/tokenizer.ts'],
  '@huggingface/hub': ['src/worker/hubApi.ts'],
  undici: ['src/worker/guardedAgent.ts', 'src/worker/hubRequest.ts'],
  hyparquet: ['src/producer/parquetRows.ts'],
  aws4fetch: ['src/worker/s3Request.ts'],
  saxes: ['src/worker/s3List.ts'],
  pino: ['src/shared/log.ts'],
};

/** What a folder's files may not import from. */
const forbidden: Record<string, string[]> = {
  shared: ['worker', 'producer', 'cli'],
  worker: ['producer', 'cli'],
  producer: ['worker', 'cli'],
};

async function filesOf(pattern: string): Promise<{ path: string; text: string }[]> {
  const paths = await fastGlob(pattern, {
    cwd: repository,
    dot: true,
    ignore: ['**/node_modules', 'dist', '.git', '.clipfleet', 'models/**/tokenizer.json'],
  });
  assert.ok(paths.length > 0, `no file matches ${pattern}`);
  const read = async (path: string) => ({ path, text: await readFile(join(repository, path), 'utf8') });
  return Promise.all(paths.sort().map(read));
}

const source = await filesOf('src/**/*.{ts,cts}');

/** The modules a file imports, types left out. */
function importsOf(text: string): string[] {
  const imports = text.matchAll(/^(?:import|export) (?!type\b)(?:[^'";]*? from )?'([^']+)'/gm);
  const lazy = text.matchAll(/\bimport\('([^']+)'\)/g);
  return [...imports, ...lazy].map((match) => match[1]!);
}

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

test('a heavy library is imported in one place', () => {
  for (const [library, sites] of Object.entries(importSites)) {
    const having = source.filter(({ text }) => importsOf(text).includes(library)).map(({ path }) => path);
    assert.deepEqual(having, sites, library);
  }
});

test('imports go from the ends to the middle: nothing shared knows who uses it', () => {
  for (const [folder, others] of Object.entries(forbidden)) {
    const files = source.filter(({ path }) => path.startsWith(`src/${folder}/`));
    assert.ok(files.length > 3, `no files in src/${folder}`);
    for (const { path, text } of files) {
      const all = [...text.matchAll(/(?:from |import\()'([^']+)'/g)].map((match) => match[1]!);
      const wrong = all.filter((from) => others.some((other) => from.startsWith(`../${other}/`)));
      assert.deepEqual(wrong, [], path);
    }
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
