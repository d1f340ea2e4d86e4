import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { judge } from './mutantJudge.ts';
import { makeMutants, makeSeeds, seedNames } from './mutants.ts';

const COUNT = 2_000;

interface Row {
  number: number;
  code: string;
  message: string;
}

test('each of 2,000 mutants comes to pixels or to the code that its bytes deserve', async (t) => {
  const script = fileURLToPath(new URL('mutant-process.js', import.meta.url));
  const { stdout } = await promisify(execFile)(process.execPath, [script, `${COUNT}`], {
    maxBuffer: 64 * 1024 * 1024,
  });
  const rows: Row[] = stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  assert.deepEqual(
    rows.map(({ number }) => number).sort((a, b) => a - b),
    Array.from({ length: COUNT }, (_, i) => i),
    'a row for each mutant',
  );
  const seeds = await makeSeeds();
  const mutants = makeMutants(seeds, COUNT);
  const counts = new Map<string, number>();
  const wrong: string[] = [];
  for (const { number, code, message } of rows) {
    const mutant = mutants[number]!;
    const right = judge(mutant, seeds.get(mutant.seed)!);
    counts.set(code, (counts.get(code) ?? 0) + 1);
    if (!right.has(code)) {
      wrong.push(
        `${number}: ${mutant.seed} ${mutant.change} is ${code} (${message}), not ${[...right].join(' or ')}`,
      );
    }
  }
  t.diagnostic([...counts].map(([code, count]) => `${code} ${count}`).join(', '));
  assert.deepEqual(wrong, []);
  assert.ok(counts.get('decoded')! > 100 && counts.get('IMAGE_CORRUPT')! > 400);
  for (const code of ['IMAGE_UNSUPPORTED', 'IMAGE_SIDE_TOO_LONG', 'IMAGE_TOO_MANY_PIXELS']) {
    assert.ok(counts.get(code)! >= 10, `${code} ${counts.get(code)}`);
  }
});

test('the seeds themselves are read', async () => {
  const { decodeWhole } = await import('../../../src/worker/decode/decode.ts');
  const seeds = await makeSeeds();
  assert.deepEqual([...seeds.keys()], [...seedNames]);
  for (const bytes of seeds.values()) {
    const { width, height } = await decodeWhole(bytes, { pixelsMax: 1e6, timeoutMs: 10_000 });
    assert.deepEqual([width, height], [72, 54]);
  }
});
