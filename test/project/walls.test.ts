// Which folder may import from which, and where each heavy library is at home.
import assert from 'node:assert/strict';
import { posix } from 'node:path';
import { test } from 'node:test';
import { circleIn, edgesOf, folderEdges, importsOf, type SourceFile } from '../support/importGraph.ts';
import { filesOf } from '../support/repositoryFiles.ts';
import { walls } from '../support/walls.ts';

/** Where each heavy library is imported, besides its types: what it does stands behind plain data there. */
const importSites: Record<string, readonly string[]> = {
  sharp: ['src/worker/decode/libvipsPixels.ts'],
  'onnxruntime-node': ['src/worker/onnx/graph.ts'],
  '@huggingface/tokenizers': ['src/worker/tokenizer/tokenizer.ts'],
  '@huggingface/hub': ['src/worker/hub/hubApi.ts'],
  undici: ['src/worker/fetch/guardedAgent.ts', 'src/worker/hub/hubRequest.ts'],
  hyparquet: ['src/producer/lists/parquetRows.ts'],
  'hyparquet-writer': ['src/results/formats/parquetFile.ts'],
  aws4fetch: ['src/worker/fetch/s3Request.ts'],
  '@xmldom/xmldom': ['src/results/tag/xmpSidecar.ts'],
  saxes: ['src/worker/fetch/s3List.ts'],
  fastify: ['src/gateway/gateway.ts'],
  pg: ['src/shared/rows/postgres/sqlSession.ts'],
  'prom-client': ['src/shared/telemetry/metrics.ts'],
  pino: ['src/shared/log/log.ts'],
  ioredis: ['src/shared/redis/redisClients.ts'],
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
