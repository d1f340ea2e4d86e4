import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import fastGlob from 'fast-glob';
import { defaultOf } from '../../../src/shared/options/config.ts';
import { type OptionName, options } from '../../../src/shared/options/options.ts';
import { repository } from '../../support/fleet.ts';

const names = Object.keys(options) as OptionName[];

test('what a setting is when nobody says is asked of the table, in its type', () => {
  assert.deepEqual(
    (['imagePixelsMax', 'fetchTimeoutMs', 'redirectsMax', 'chunkSize', 'attempts', 'exif'] as const).map(
      defaultOf,
    ),
    [100_000_000, 30_000, 5, 64, 3, 'apply'],
  );
  assert.equal(defaultOf('allowPrivateAddresses'), false);
  assert.equal(defaultOf('topK'), undefined);
});

/** `pixelsMax` and `imagePixelsMax` for the option imagePixelsMax: parts of the code name a setting more shortly. */
function shorterNames(name: string): string[] {
  const words = name.split(/(?=[A-Z])/);
  return words.slice(0, -1).map((_, i) => {
    const rest = words.slice(i).join('');
    return rest[0]!.toLowerCase() + rest.slice(1);
  });
}

test('no other file states the default of a number once more', async () => {
  const paths = await fastGlob('src/**/*.ts', { cwd: repository, ignore: ['src/**/*Options.ts'] });
  const numbers = names.flatMap((name) => {
    const byDefault = defaultOf(name);
    return typeof byDefault === 'number' ? [{ name, byDefault }] : [];
  });
  assert.ok(numbers.length > 10 && paths.length > 100);
  for (const path of paths) {
    const text = await readFile(join(repository, path), 'utf8');
    for (const [stated, name, product] of text.matchAll(
      /\b(\w+)(?::| =| \?\?) ([\d_]+(?: \* [\d_]+)*)(?=[,;) }])/g,
    )) {
      const value = product!
        .split(' * ')
        .reduce((whole, part) => whole * Number(part.replaceAll('_', '')), 1);
      const same = numbers.filter(
        (option) => option.byDefault === value && [option.name, ...shorterNames(option.name)].includes(name!),
      );
      assert.deepEqual(same, [], `${path}: ${stated}`);
    }
  }
});
