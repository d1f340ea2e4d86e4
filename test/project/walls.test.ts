// Which folder may import from which, and where each heavy library is at home.
import assert from 'node:assert/strict';
import { posix } from 'node:path';
import { test } from 'node:test';
import { circleIn, edgesOf, folderEdges, importsOf, type SourceFile } from '../support/importGraph.ts';
import { filesOf } from '../support/repositoryFiles.ts';

/** Each folder of src, with the folders it may import from. An entry that nobody uses any more fails too. */
const walls: Record<string, readonly string[]> = {
  'src/shared': [],
  'src/shared/redis': ['src/shared'],
  'src/shared/refs': ['src/shared'],
  'src/shared/rows': ['src/shared', 'src/shared/redis'],
  'src/shared/rows/postgres': ['src/shared', 'src/shared/rows'],
  'src/shared/store': [
    'src/shared',
    'src/shared/labels',
    'src/shared/redis',
    'src/shared/rows',
    'src/shared/rows/postgres',
  ],
  'src/shared/embeddings': ['src/shared', 'src/shared/refs', 'src/shared/rows'],
  'src/shared/runs': ['src/shared', 'src/shared/redis', 'src/shared/refs', 'src/shared/rows'],
  'src/shared/options': ['src/shared', 'src/shared/runs'],
  'src/shared/labels': ['src/shared', 'src/shared/redis'],
  'src/shared/fleet': ['src/shared', 'src/shared/redis', 'src/shared/refs', 'src/shared/runs'],
  'src/producer/runs': [
    'src/shared',
    'src/shared/fleet',
    'src/shared/labels',
    'src/shared/options',
    'src/shared/redis',
    'src/shared/refs',
    'src/shared/rows',
    'src/shared/runs',
  ],
  'src/producer/bytes': ['src/shared', 'src/shared/refs'],
  'src/producer/images': ['src/producer/bytes', 'src/shared', 'src/shared/refs'],
  'src/producer/lists': ['src/producer/bytes', 'src/shared', 'src/shared/options'],
  'src/producer/sources': [
    'src/producer/bytes',
    'src/producer/images',
    'src/producer/lists',
    'src/shared',
    'src/shared/options',
    'src/shared/refs',
  ],
  'src/producer': [
    'src/producer/runs',
    'src/shared',
    'src/shared/fleet',
    'src/shared/labels',
    'src/shared/options',
    'src/shared/redis',
    'src/shared/rows',
    'src/shared/runs',
  ],
  'src/worker/names': ['src/shared'],
  'src/worker/hosts': ['src/shared', 'src/shared/options', 'src/shared/redis', 'src/worker/names'],
  'src/worker/onnx': ['src/shared'],
  'src/worker/labels': ['src/shared', 'src/shared/labels', 'src/shared/redis', 'src/worker/onnx'],
  'src/worker/jobs': [
    'src/shared',
    'src/shared/embeddings',
    'src/shared/fleet',
    'src/shared/options',
    'src/shared/redis',
    'src/shared/refs',
    'src/shared/rows',
    'src/shared/runs',
    'src/worker/hosts',
    'src/worker/labels',
    'src/worker/losses',
    'src/worker/onnx',
  ],
  'src/worker/relabel': [
    'src/shared',
    'src/shared/embeddings',
    'src/shared/rows',
    'src/shared/runs',
    'src/worker/onnx',
    'src/worker/score',
  ],
  'src/worker/losses': ['src/shared', 'src/shared/fleet', 'src/shared/runs'],
  'src/worker/checkpoint': ['src/shared', 'src/worker/onnx'],
  'src/worker/resize': ['src/shared'],
  'src/worker/formats': ['src/shared', 'src/worker/resize'],
  'src/worker/decode': ['src/shared', 'src/shared/options', 'src/worker/formats', 'src/worker/resize'],
  'src/worker/decoders': [
    'src/shared',
    'src/shared/options',
    'src/shared/refs',
    'src/worker/decode',
    'src/worker/onnx',
    'src/worker/resize',
  ],
  'src/worker/layout': ['src/shared', 'src/worker/checkpoint', 'src/worker/onnx'],
  'src/worker/hub': ['src/shared', 'src/worker/layout', 'src/worker/onnx'],
  'src/worker/score': [
    'src/shared',
    'src/shared/labels',
    'src/shared/rows',
    'src/worker/labels',
    'src/worker/onnx',
  ],
  'src/worker/tokenizer': ['src/shared'],
  'src/worker/session': [
    'src/shared',
    'src/worker/onnx',
    'src/worker/resize',
    'src/worker/score',
    'src/worker/tokenizer',
  ],
  'src/worker/model': [
    'src/shared',
    'src/shared/fleet',
    'src/shared/options',
    'src/worker/checkpoint',
    'src/worker/decode',
    'src/worker/hub',
    'src/worker/layout',
    'src/worker/onnx',
    'src/worker/resize',
    'src/worker/score',
    'src/worker/session',
    'src/worker/tokenizer',
  ],
  'src/worker/fetch': ['src/shared', 'src/shared/refs', 'src/worker/hosts', 'src/worker/names'],
  'src/worker/pipeline': [
    'src/shared',
    'src/shared/fleet',
    'src/shared/options',
    'src/shared/redis',
    'src/shared/refs',
    'src/shared/rows',
    'src/worker/decoders',
    'src/worker/fetch',
    'src/worker/hosts',
    'src/worker/model',
    'src/worker/names',
    'src/worker/resize',
    'src/worker/score',
    'src/worker/session',
  ],
  'src/worker': [
    'src/shared',
    'src/shared/fleet',
    'src/shared/labels',
    'src/shared/options',
    'src/shared/redis',
    'src/shared/rows',
    'src/shared/runs',
    'src/worker/jobs',
    'src/worker/labels',
    'src/worker/losses',
    'src/worker/model',
    'src/worker/pipeline',
  ],
  'src/worker/tune': [
    'src/shared',
    'src/shared/options',
    'src/shared/refs',
    'src/worker/decode',
    'src/worker/model',
    'src/worker/onnx',
    'src/worker/pipeline',
    'src/worker/resize',
    'src/worker/session',
    'src/worker/tokenizer',
  ],
  src: [
    'src/producer',
    'src/producer/runs',
    'src/producer/sources',
    'src/shared',
    'src/shared/fleet',
    'src/shared/labels',
    'src/shared/options',
    'src/shared/redis',
    'src/shared/refs',
    'src/shared/rows',
    'src/shared/runs',
    'src/worker/decode',
    'src/worker/decoders',
    'src/worker/fetch',
    'src/worker/hub',
    'src/worker/labels',
    'src/worker/model',
    'src/worker/onnx',
    'src/worker/pipeline',
    'src/worker/resize',
    'src/worker/score',
    'src/worker/session',
    'src/shared/store',
  ],
  'src/producer/labels': ['src/shared', 'src/shared/labels'],
  'src/cli/setup': [
    'src/producer',
    'src/producer/labels',
    'src/producer/runs',
    'src/results/exports',
    'src/shared',
    'src/shared/fleet',
    'src/shared/labels',
    'src/shared/options',
    'src/shared/redis',
    'src/shared/refs',
    'src/shared/runs',
    'src/shared/store',
  ],
  'src/results/exports': ['src/shared', 'src/shared/refs', 'src/shared/rows'],
  'src/gateway/keys': ['src/shared'],
  'src/gateway/schemas': ['src/shared/labels', 'src/shared/refs'],
  'src/gateway/http': [
    'src/gateway/keys',
    'src/producer',
    'src/producer/runs',
    'src/shared',
    'src/shared/fleet',
    'src/shared/redis',
  ],
  'src/gateway/access': ['src/gateway/http', 'src/gateway/keys', 'src/shared'],
  'src/gateway/routes': [
    'src/gateway/access',
    'src/gateway/http',
    'src/gateway/schemas',
    'src/producer',
    'src/producer/runs',
    'src/producer/bytes',
    'src/results/exports',
    'src/shared',
    'src/shared/fleet',
    'src/shared/labels',
    'src/shared/redis',
    'src/shared/refs',
    'src/shared/rows',
  ],
  'src/gateway': ['src/gateway/access', 'src/gateway/http', 'src/gateway/routes', 'src/shared'],
  'src/cli/terminal': [
    'src/cli/setup',
    'src/producer/images',
    'src/producer/runs',
    'src/results/exports',
    'src/shared',
    'src/shared/fleet',
    'src/shared/labels',
    'src/shared/redis',
    'src/shared/refs',
    'src/shared/rows',
    'src/worker/model',
  ],
  'src/cli/workers': [
    'src/cli/setup',
    'src/cli/terminal',
    'src/producer/runs',
    'src/shared',
    'src/shared/fleet',
    'src/shared/options',
    'src/shared/redis',
    'src/shared/refs',
    'src/shared/runs',
    'src/worker',
    'src/worker/model',
  ],
  'src/cli/commands': [
    'src',
    'src/cli/setup',
    'src/cli/terminal',
    'src/cli/workers',
    'src/gateway',
    'src/gateway/access',
    'src/gateway/keys',
    'src/producer',
    'src/producer/images',
    'src/producer/runs',
    'src/producer/sources',
    'src/results/exports',
    'src/shared',
    'src/shared/embeddings',
    'src/shared/fleet',
    'src/shared/labels',
    'src/shared/options',
    'src/shared/redis',
    'src/shared/refs',
    'src/shared/rows',
    'src/shared/runs',
    'src/worker',
    'src/worker/labels',
    'src/worker/model',
    'src/worker/relabel',
    'src/worker/score',
    'src/worker/session',
    'src/worker/tune',
  ],
  'src/cli': ['src/cli/commands', 'src/cli/setup', 'src/cli/terminal', 'src/shared'],
};

/** Where each heavy library is imported, besides its types: what it does stands behind plain data there. */
const importSites: Record<string, readonly string[]> = {
  sharp: ['src/worker/decode/libvipsPixels.ts'],
  'onnxruntime-node': ['src/worker/onnx/graph.ts'],
  '@huggingface/tokenizers': ['src/worker/tokenizer/tokenizer.ts'],
  '@huggingface/hub': ['src/worker/hub/hubApi.ts'],
  undici: ['src/worker/fetch/guardedAgent.ts', 'src/worker/hub/hubRequest.ts'],
  hyparquet: ['src/producer/lists/parquetRows.ts'],
  'hyparquet-writer': ['src/results/exports/parquetFile.ts'],
  aws4fetch: ['src/worker/fetch/s3Request.ts'],
  saxes: ['src/worker/fetch/s3List.ts'],
  fastify: ['src/gateway/gateway.ts'],
  pg: ['src/shared/rows/postgres/sqlSession.ts'],
  pino: ['src/shared/log.ts'],
  ioredis: ['src/shared/redis/redis.ts'],
  bullmq: ['src/shared/fleet/laneQueue.ts', 'src/worker/jobs/lane.ts'],
};

/** The files of the worker that know BullMQ, its types included: what becomes of a job is said to it by the lane alone. */
const bullmqInWorker = ['src/worker/jobs/lane.ts', 'src/worker/jobs/sweep.ts'];

const source = await filesOf('src/**/*.{ts,cts}');

function forbiddenImports(files: readonly SourceFile[]): string[] {
  return edgesOf(files)
    .filter(([from, to]) => {
      const [folder, other] = [posix.dirname(from), posix.dirname(to)];
      return folder !== other && !walls[folder]?.includes(other);
    })
    .map(([from, to]) => `${from} imports ${to}`);
}

test('a folder imports only from those it may', () => {
  assert.deepEqual(forbiddenImports(source), []);
});

test('the table of walls allows nothing that is not used, and names each folder', () => {
  const used = new Set(folderEdges(edgesOf(source)).map(([from, to]) => `${from} -> ${to}`));
  const allowed = Object.entries(walls).flatMap(([from, all]) => all.map((to) => `${from} -> ${to}`));
  assert.deepEqual(
    allowed.filter((edge) => !used.has(edge)),
    [],
  );
  const folders = [...new Set(source.map(({ path }) => posix.dirname(path)))];
  assert.deepEqual(folders.sort(), Object.keys(walls).sort());
});

test('an import that leads out of its folder is seen at any depth', () => {
  const deep = { path: 'src/worker/x/deep.ts', text: "import { add } from '../../producer/producer.ts';\n" };
  const lazy = { path: 'src/shared/lazy.ts', text: "const x = () => import('../worker/worker.ts');\n" };
  const typed = { path: 'src/producer/typed.ts', text: "import type {\n  X,\n} from '../cli/main.ts';\n" };
  assert.deepEqual(forbiddenImports([...source, deep, lazy, typed]), [
    'src/worker/x/deep.ts imports src/producer/producer.ts',
    'src/shared/lazy.ts imports src/worker/worker.ts',
    'src/producer/typed.ts imports src/cli/main.ts',
  ]);
});

test('files import each other in one direction, types too', () => {
  assert.equal(circleIn(edgesOf(source)), undefined);
});

test('folders import each other in one direction, types too', () => {
  assert.equal(circleIn(folderEdges(edgesOf(source))), undefined);
});

test('a circle is found', () => {
  const files = [
    { path: 'src/a/one.ts', text: "import type { Two } from '../b/two.ts';\n" },
    { path: 'src/b/two.ts', text: "export { three } from '../c/three.ts';\n" },
    { path: 'src/c/three.ts', text: "import { one } from '../a/one.ts';\n" },
  ];
  assert.deepEqual(circleIn(edgesOf(files)), ['src/a/one.ts', 'src/b/two.ts', 'src/c/three.ts']);
  assert.deepEqual(circleIn(folderEdges(edgesOf(files))), ['src/a', 'src/b', 'src/c']);
  assert.equal(circleIn(edgesOf(files.slice(0, 2))), undefined);
});

test('two files of the worker know BullMQ, types too', () => {
  const knows = (file: SourceFile) => importsOf(file).some(({ target }) => target === 'bullmq');
  const found = source.filter((file) => file.path.startsWith('src/worker/') && knows(file));
  assert.deepEqual(
    found.map(({ path }) => path),
    bullmqInWorker,
  );
});

test('a heavy library is imported in one place', () => {
  for (const [library, sites] of Object.entries(importSites)) {
    const isSite = (file: SourceFile) =>
      importsOf(file).some(({ target, typeOnly }) => target === library && !typeOnly);
    assert.deepEqual(
      source.filter(isSite).map(({ path }) => path),
      sites,
      library,
    );
  }
});
