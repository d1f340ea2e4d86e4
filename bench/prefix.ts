// The decoder's bytes cast in the graph, beside floats packed in JavaScript: node dist/bench/prefix.js DIR...
// Both graphs take turns in each round, first the one, then the other; the ratio is taken within a round.
import { mkdtemp, rm } from 'node:fs/promises';
import { availableParallelism, tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { openGraph, runGraph } from '../src/worker/graph.ts';
import { readModelFiles } from '../src/worker/model.ts';
import { dataType, graphField, graphValue, node, onnxModel } from '../src/worker/onnxProto.ts';
import { packPixels } from '../src/worker/pack.ts';
import { FLOATS_INPUT, withPixelPrefix } from '../src/worker/pixelPrefix.ts';
import { prepareGraph } from '../src/worker/preparedGraph.ts';
import { describeMachine } from './machine.ts';
import { format, spreadOf } from './spread.ts';

const ROUNDS = 9;
const BATCH = 16;
const directories = process.argv.slice(2);
if (directories.length === 0) throw new Error('Expected model directories with both towers, got none.');

const how = { providers: ['cpu'], threads: availableParallelism() };
const cacheDir = await mkdtemp(join(tmpdir(), 'clipfleet-bench-'));
const columns = [
  ...['model', 'packing alone, ms', 'prefix alone, ms', 'packed, ms', 'bytes, ms', 'packed / bytes'],
  'making ready, ms',
];
/** A graph that gives what it takes, to be behind the prefix. */
const mirror = onnxModel(17, [
  node('Identity', [FLOATS_INPUT], ['same']),
  graphValue(graphField.input, FLOATS_INPUT, dataType.float, ['N', 3, 'H', 'W']),
  graphValue(graphField.output, 'same', dataType.float, ['N', 3, 'H', 'W']),
]);
console.log(`| ${columns.join(' | ')} |\n|${'---|'.repeat(columns.length)}`);
for (const dir of directories) {
  const { graphs, hashes, preprocessing } = await readModelFiles({ dir, dtype: 'fp32' });
  if (!('vision' in graphs)) throw new Error(`Expected both towers in ${dir}, got the joint graph.`);
  const start = performance.now();
  const path = await prepareGraph(graphs.vision, { hashes, preprocessing, cacheDir });
  const preparing = performance.now() - start;
  const packed = await openGraph(graphs.vision, how);
  const prepared = await openGraph(path!, how);
  const alone = await openGraph(Buffer.concat(withPixelPrefix(mirror, preprocessing)!), how);
  const data = new Uint8Array(BATCH * preprocessing.width * preprocessing.height * 3).map(
    (_, i) => (i * 31) % 256,
  );
  const batch = { data, count: BATCH, preprocessing };
  const rounds: Record<'packing' | 'alone' | 'packed' | 'bytes', number>[] = [];
  for (let round = 0; round <= ROUNDS; round++) {
    const measured = {
      packing: await timeOf(() => packPixels(data, BATCH, preprocessing)),
      alone: await timeOf(() => runGraph(alone, batch, undefined)),
      packed: 0,
      bytes: 0,
    };
    const turns = [
      async () => {
        measured.packed = await timeOf(() => runGraph(packed, batch, undefined));
      },
      async () => {
        measured.bytes = await timeOf(() => runGraph(prepared, batch, undefined));
      },
    ];
    for (const turn of round % 2 === 0 ? turns : turns.toReversed()) await turn();
    // The first round warms up.
    if (round > 0) rounds.push(measured);
  }
  const column = (of: (round: (typeof rounds)[number]) => number, digits = 1) =>
    format(spreadOf(rounds.map(of)), digits);
  const cells = [
    column(({ packing }) => packing),
    column((each) => each.alone),
    column((each) => each.packed),
    column(({ bytes }) => bytes),
    column((each) => each.packed / each.bytes, 3),
    preparing.toFixed(0),
  ];
  console.log(`| ${[basename(dir), ...cells].join(' | ')} |`);
  await Promise.all([alone, packed, prepared].map((graph) => graph.release()));
}
const machine = describeMachine(['onnxruntime-node']);
console.log(`\nBatches of ${BATCH}, median of ${ROUNDS} rounds (smallest to largest). ${machine}.`);
await rm(cacheDir, { recursive: true });

async function timeOf(work: () => unknown): Promise<number> {
  const start = performance.now();
  await work();
  return performance.now() - start;
}
