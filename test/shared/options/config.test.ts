import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ClipfleetError } from '../../../src/shared/errors.ts';
import { readConfig } from '../../../src/shared/options/config.ts';
import type { OptionName } from '../../../src/shared/options/options.ts';

function faultsOf(names: OptionName[], flags: Record<string, unknown>, env: NodeJS.ProcessEnv): string {
  try {
    readConfig(names, flags, env);
  } catch (error) {
    assert.ok(error instanceof ClipfleetError);
    assert.equal(error.code, 'USAGE');
    return error.message;
  }
  return assert.fail('expected a fault');
}

test('a flag wins over its variable, the variable over the default', () => {
  const names = ['chunkSize', 'prefix', 'topK'] as const;
  assert.deepEqual(readConfig(names, {}, {}), { chunkSize: 64, prefix: 'clipfleet', topK: undefined });
  const env = { CLIPFLEET_CHUNK_SIZE: '48', CLIPFLEET_PREFIX: 'team', CLIPFLEET_TOP_K: '5' };
  assert.deepEqual(readConfig(names, {}, env), { chunkSize: 48, prefix: 'team', topK: 5 });
  assert.deepEqual(readConfig(names, { chunkSize: '64', topK: '1' }, env), {
    chunkSize: 64,
    prefix: 'team',
    topK: 1,
  });
});

test('an empty variable counts as absent, an empty flag does not', () => {
  assert.equal(readConfig(['prefix'], {}, { CLIPFLEET_PREFIX: '' }).prefix, 'clipfleet');
  assert.match(faultsOf(['prefix'], { prefix: '' }, {}), /--prefix: Expected 1 to 64 letters/);
});

test('all faults come together, each with the place it was said and what was got', () => {
  const faults = faultsOf(
    ['batchSize', 'topK', 'temperature', 'format', 'chunkSize', 'prefix'],
    { batchSize: 'many', topK: '0' },
    { CLIPFLEET_TEMPERATURE: 'warm', CLIPFLEET_FORMAT: 'xml', CLIPFLEET_CHUNK_SIZE: '257' },
  );
  assert.deepEqual(faults.split('\n'), [
    '--batch-size: Expected a whole number, got "many".',
    '--top-k: Expected at least 1, got "0".',
    'CLIPFLEET_TEMPERATURE: Expected a number, got "warm".',
    'CLIPFLEET_FORMAT: Expected one of table, jsonl, csv, parquet, label-studio, fiftyone, hf, npy, got "xml".',
    'CLIPFLEET_CHUNK_SIZE: Expected at most 256, got "257".',
  ]);
});

test('bounds are met and not passed', () => {
  for (const [given, value] of [
    ['1', 1],
    ['256', 256],
  ] as const)
    assert.equal(readConfig(['chunkSize'], { chunkSize: given }, {}).chunkSize, value);
  for (const given of ['0', '257', '1.5', '1e2', '0x10', ' 1', '', 'NaN', 'Infinity'])
    faultsOf(['chunkSize'], { chunkSize: given }, {});
  assert.equal(readConfig(['threshold'], { threshold: '-.5e-1' }, {}).threshold, -0.05);
  for (const given of ['.', '1e', 'Infinity', '2e9', '0,5'])
    faultsOf(['threshold'], { threshold: given }, {});
});

test('a switch is true as a flag, and true, false, 1 or 0 as a variable', () => {
  const read = (flags: Record<string, unknown>, env: NodeJS.ProcessEnv) =>
    readConfig(['allowPrivateAddresses'], flags, env).allowPrivateAddresses;
  const variable = (value: string) => ({ CLIPFLEET_ALLOW_PRIVATE_ADDRESSES: value });
  assert.equal(read({}, {}), false);
  assert.equal(read({ allowPrivateAddresses: true }, variable('false')), true);
  for (const [value, expected] of Object.entries({ true: true, '1': true, false: false, '0': false }))
    assert.equal(read({}, variable(value)), expected);
  const fault = faultsOf(['allowPrivateAddresses'], {}, variable('yes'));
  assert.equal(fault, 'CLIPFLEET_ALLOW_PRIVATE_ADDRESSES: Expected true or false, got "yes".');
});

test('what is given again and again is a list; its variable has one value a line', () => {
  const read = (flags: Record<string, unknown>, env: NodeJS.ProcessEnv) =>
    readConfig(['template'], flags, env).template;
  const env = { CLIPFLEET_TEMPLATE: 'a photo of {}, big.\n\na drawing of {}\n' };
  assert.deepEqual(read({}, env), ['a photo of {}, big.', 'a drawing of {}']);
  assert.deepEqual(read({ template: ['{}'] }, env), ['{}']);
  assert.equal(read({}, {}), undefined);
});

test('REDIS_URL must be a Redis URL, and its password is not repeated', () => {
  const url = 'rediss://user:secret@queue:6380/1';
  assert.equal(readConfig(['redisUrl'], {}, { REDIS_URL: url }).redisUrl, url);
  for (const wrong of ['localhost:6379', 'http://user:secret@queue:6379']) {
    const fault = faultsOf(['redisUrl'], {}, { REDIS_URL: wrong });
    assert.match(fault, /^REDIS_URL: Expected a URL that starts with redis:\/\/ or rediss:\/\//);
    assert.doesNotMatch(fault, /secret/);
  }
});
