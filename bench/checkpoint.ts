import { existsSync } from 'node:fs';
import { basename } from 'node:path';
import { readModelFiles } from '../src/worker/model/model.ts';
import { builtGraphs } from '../src/worker/model/towerGraphs.ts';
import type { Graph } from '../src/worker/onnx/graph.ts';
import type { Preprocessing } from '../src/worker/resize/preprocessing.ts';
import { runGraph } from '../src/worker/session/feeds.ts';
import { openImageGraph } from '../src/worker/session/imageGraph.ts';
import { defineBench, table } from './bench.ts';
import { type Cost, costOf } from './ceilings.ts';
import { baseModel, counts, names, rounds, threads } from './commonArguments.ts';
import { format, spreadOf } from './spread.ts';

const says = `The image tower that is built over a checkpoint's weights, beside the export of the same model: milliseconds of one core that a batch takes, on the CPU. The two take
turns, one batch each, and which of them goes first changes with each round. Median of the rounds (smallest to largest); the ratio, export ÷ built, is taken
within a round: 1 is as fast, less is slower. Time of cores, and not of the clock, tells the two apart on a machine that does other things as well; the last column
is the ratio by the clock.`;

export const checkpoint = defineBench({
  title: 'A tower built from a checkpoint, and its export',
  says,
  arguments: {
    models: names(baseModel, 'Model directories with an export and its checkpoint.'),
    batches: counts('1,4,16', 'Batch sizes.'),
    threads,
    rounds: { ...rounds, default: '31' },
  },
  packages: ['onnxruntime-node'],
  async run({ models, batches, threads, rounds }, bed) {
    const lines: string[][] = [];
    for (const dir of models.filter((model) => existsSync(model))) {
      const { graphs, preprocessing } = await openBoth(dir, threads);
      bed.after(() => Promise.all(graphs.map((graph) => graph.release())));
      for (const batch of batches) {
        bed.say(`${basename(dir)}, batches of ${batch}`);
        const pairs = await takeTurns(graphs, preprocessing, batch, rounds);
        const column = (of: (pair: Pair) => number, digits = 1) => format(spreadOf(pairs.map(of)), digits);
        lines.push([
          basename(dir),
          String(batch),
          column(({ exported }) => exported.coreMs),
          column(({ built }) => built.coreMs),
          column(({ exported, built }) => exported.coreMs / built.coreMs, 3),
          column(({ exported, built }) => built.rate / exported.rate, 3),
        ]);
      }
    }
    const absent = models.filter((model) => !existsSync(model)).map((model) => `Absent: ${model}.`);
    const header = ['model', 'batch', 'export, ms', 'built, ms', 'export ÷ built', 'by the clock'];
    return [table(header, lines), `${rounds} rounds, ${threads} threads.`, ...absent].join('\n\n');
  },
});

async function openBoth(dir: string, threads: number) {
  const { towers, preprocessing, checkpoint, built } = await readModelFiles({ dir, dtype: 'fp32' });
  if (built || !checkpoint || !('vision' in towers.graphs)) {
    throw new Error(`Expected an export of both towers and a checkpoint in ${dir}.`);
  }
  const ofCheckpoint = (await builtGraphs(dir, checkpoint)).graphs;
  if (!('vision' in ofCheckpoint)) throw new Error('Expected both towers.');
  const how = { providers: ['cpu'], threads };
  const open = (graph: typeof towers.graphs & { vision: unknown }) =>
    openImageGraph(graph.vision, preprocessing, { takesBytes: true }, how);
  return { graphs: [await open(towers.graphs), await open(ofCheckpoint)] as const, preprocessing };
}

/** What a batch costs, of both. */
interface Pair {
  exported: Cost;
  built: Cost;
}

async function takeTurns(
  [exported, built]: readonly [Graph, Graph],
  preprocessing: Preprocessing,
  batch: number,
  rounds: number,
): Promise<Pair[]> {
  const data = new Uint8Array(batch * preprocessing.width * preprocessing.height * 3).fill(100);
  const timed = (graph: Graph) =>
    costOf(async () => {
      await runGraph(graph, { data, count: batch, preprocessing }, undefined);
      return 1;
    });
  const pairs: Pair[] = [];
  for (let round = 0; round <= rounds; round++) {
    const first = round % 2 === 0 ? await timed(exported) : undefined;
    const cost = await timed(built);
    const pair = { exported: first ?? (await timed(exported)), built: cost };
    // The first round warms up.
    if (round > 0) pairs.push(pair);
  }
  return pairs;
}
