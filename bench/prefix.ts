import { existsSync } from 'node:fs';
import { basename } from 'node:path';
import { readModelFiles } from '../src/worker/model/model.ts';
import { type Graph, openGraph } from '../src/worker/onnx/graph.ts';
import { dataType, graphField } from '../src/worker/onnx/onnxProto.ts';
import { graphValue, node, onnxModel } from '../src/worker/onnx/onnxWriter.ts';
import type { Preprocessing } from '../src/worker/resize/preprocessing.ts';
import { runGraph } from '../src/worker/session/feeds.ts';
import { openImageGraph } from '../src/worker/session/imageGraph.ts';
import { packPixels } from '../src/worker/session/pack.ts';
import { FLOAT_INPUTS, withPixelPrefix } from '../src/worker/session/pixelPrefix.ts';
import { defineBench, table } from './bench.ts';
import { baseModel, batchSize, names, rounds, threads } from './commonArguments.ts';
import { format, spreadOf } from './spread.ts';

const says = `The image graph that takes the decoder's bytes and casts them itself, beside the model's own with floats packed in JavaScript:
milliseconds a batch, on the CPU. *packing alone* and *prefix alone* are what each does before the model begins, *packed* and
*bytes* the whole way. Which of them goes first changes with each round.  Median of the rounds (smallest to largest); ratios are taken within a round.`;

export const prefix = defineBench({
  title: 'Bytes cast in the graph, or floats packed before it',
  says,
  arguments: {
    models: names(`${baseModel},models/demo`, 'Model directories with both towers.'),
    batch: batchSize,
    threads,
    rounds: { ...rounds, default: '9' },
  },
  packages: ['onnxruntime-node'],
  async run({ models, batch, threads, rounds }, bed) {
    const lines: string[][] = [];
    for (const dir of models.filter((model) => existsSync(model))) {
      bed.say(basename(dir));
      const { graphs, preprocessing, close } = await openGraphs(dir, threads);
      const measured = await measure(graphs, preprocessing, batch, rounds);
      const column = (of: (round: Times) => number, digits = 1) => format(spreadOf(measured.map(of)), digits);
      lines.push([
        basename(dir),
        column(({ packing }) => packing),
        column(({ alone }) => alone),
        column(({ packed }) => packed),
        column(({ bytes }) => bytes),
        column(({ packed, bytes }) => packed / bytes, 3),
      ]);
      await close();
    }
    const header = ['model', 'packing alone', 'prefix alone', 'packed', 'bytes', 'packed ÷ bytes'];
    const how = `Batches of ${batch}, ${threads} threads, ${rounds} rounds.`;
    const absent = models.filter((model) => !existsSync(model)).map((model) => `Absent: ${model}.`);
    return [table(header, lines), how, ...absent].join('\n\n');
  },
});

/** Milliseconds of a batch. */
interface Times {
  packing: number;
  alone: number;
  packed: number;
  bytes: number;
}

type Graphs = Record<'alone' | 'packed' | 'bytes', Graph>;

async function openGraphs(dir: string, threads: number) {
  const { towers, preprocessing } = await readModelFiles({ dir, dtype: 'fp32' });
  if (!('vision' in towers.graphs)) throw new Error(`Expected both towers in ${dir}, got the joint graph.`);
  const { vision } = towers.graphs;
  const how = { providers: ['cpu'], threads };
  const alone = Buffer.concat(withPixelPrefix(mirror, preprocessing)!);
  const opened: Graphs = {
    alone: await openGraph({ name: 'the prefix alone', graph: alone }, how),
    packed: await openImageGraph(vision, preprocessing, { takesBytes: false }, how),
    bytes: await openImageGraph(vision, preprocessing, { takesBytes: true }, how),
  };
  const close = () => Promise.all(Object.values(opened).map((graph) => graph.release()));
  return { graphs: opened, preprocessing, close };
}

const FLOATS_INPUT = FLOAT_INPUTS[0]!;

/** A graph that gives what it takes, to be behind the prefix. */
const mirror = onnxModel(17, [
  node('Identity', [FLOATS_INPUT], ['same']),
  graphValue(graphField.input, FLOATS_INPUT, dataType.float, ['N', 3, 'H', 'W']),
  graphValue(graphField.output, 'same', dataType.float, ['N', 3, 'H', 'W']),
]);

async function measure(
  graphs: Graphs,
  preprocessing: Preprocessing,
  batch: number,
  rounds: number,
): Promise<Times[]> {
  const data = new Uint8Array(batch * preprocessing.width * preprocessing.height * 3).map(
    (_, i) => (i * 31) % 256,
  );
  const images = { data, count: batch, preprocessing };
  const measured: Times[] = [];
  for (let round = 0; round <= rounds; round++) {
    const packing = await timeOf(() => packPixels(data, batch, preprocessing));
    const alone = await timeOf(() => runGraph(graphs.alone, images, undefined));
    const times = { packing, alone, packed: 0, bytes: 0 };
    const turns = ['packed', 'bytes'] as const;
    for (const turn of round % 2 === 0 ? turns : turns.toReversed())
      times[turn] = await timeOf(() => runGraph(graphs[turn], images, undefined));
    // The first round warms up.
    if (round > 0) measured.push(times);
  }
  return measured;
}

async function timeOf(work: () => unknown): Promise<number> {
  const start = performance.now();
  await work();
  return performance.now() - start;
}
