// What a service loads with the client: neither pixels nor models.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { importsOf } from '../support/importGraph.ts';
import { filesOf } from '../support/repositoryFiles.ts';

const files = new Map((await filesOf('src/**/*.ts')).map((file) => [file.path, file]));

/** The packages that a file loads, or may load later, by whatever way. */
function packagesOf(entry: string): string[] {
  const [seen, packages] = [new Set([entry]), new Set<string>()];
  for (const path of seen) {
    for (const { target, typeOnly } of importsOf(files.get(path)!)) {
      if (typeOnly) continue;
      if (files.has(target)) seen.add(target);
      else if (!target.startsWith('node:')) packages.add(target);
    }
  }
  return [...packages].sort();
}

test('the client loads what speaks to Redis, and nothing of images and models', () => {
  assert.deepEqual(packagesOf('src/client.ts'), [
    'bullmq',
    'canonicalize',
    'ioredis',
    'lru-cache',
    'p-queue',
    'zod',
  ]);
});

test('the package’s main entry loads neither sharp nor onnxruntime-node', () => {
  const packages = packagesOf('src/index.ts');
  assert.ok(packages.includes('bullmq'));
  assert.ok(!packages.some((name) => /sharp|onnxruntime|transformers/.test(name)), packages.join(' '));
  assert.ok(
    packagesOf('src/worker/decode/libvipsPixels.ts').includes('sharp'),
    'the walk finds it where it is',
  );
});
