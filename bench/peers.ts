import { existsSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { defineLabelSet } from '../src/shared/labels/labelSet.ts';
import { text } from '../src/shared/options/option.ts';
import { argument, defineBench, type TestBed, table } from './bench.ts';
import { baseModel, count, counts, rounds, threads } from './commonArguments.ts';
import { makeJpegs } from './jpegs.ts';
import { type PeerAnswer, type PythonPeers, startPythonPeers } from './pythonPeers.ts';
import { format, spreadOf } from './spread.ts';
import { openTransformersJs } from './transformersJs.ts';
import { type Queue, startQueue, startWorkerProcess, type WorkerProcess } from './workers.ts';

/** Another way to the same answers, and how many images it is given for so many labels: some ten seconds' worth. */
interface Peer {
  name: string;
  images(labels: number): number;
  classify(files: readonly string[], labels: readonly string[]): Promise<PeerAnswer>;
}

const says = `The same files, labels and weights, from JPEG files to ranked labels, everything on the same threads. Ours is the \`clipfleet
worker\` process with its Redis server and results store; its clock runs from before the run is opened until all rows are
read. The peers: the zero-shot pipeline of transformers.js in a loop (it takes one image a call), that of Python's
transformers in batches of 8, a plain torch loop in batches of 16 with label embeddings made once, and \`classify_image\` of
Daft in batches of 16 (less the loading of its model, which it does anew in each query). Slow ones are given fewer images: their number is
in the table. Each is measured beside ours, in turns, and the ratio taken within a pair. Images/s, median of the rounds (smallest to
largest); one round before them warms up and encodes our label set, which happens once.`;

export const peers = defineBench({
  title: 'Beside other ways to the same answers',
  says,
  arguments: {
    model: argument({ schema: text, default: baseModel, says: 'Model directory, with model.safetensors.' }),
    labels: counts('10,100,1000', 'Numbers of labels.'),
    images: count(
      '96',
      'JPEG files of 500 × 375 for each of our measurements, and at most for each of a peer.',
    ),
    python: argument({
      schema: text,
      default: process.env.PYTHON ?? 'python3',
      says: 'Python with torch, transformers, pillow and daft; PYTHON in the environment says the same.',
    }),
    threads,
    rounds,
  },
  packages: ['@huggingface/transformers', 'onnxruntime-node', 'sharp', 'bullmq', 'redis-server'],
  async run({ model, labels, images, python, threads, rounds }, bed) {
    if (!existsSync(model)) return `Absent: ${model}; see bench/random_models.py.`;
    const folder = join(bed.folder, 'images');
    const { files } = await makeJpegs(folder, { count: images, width: 500, height: 375 });
    const queue = await startQueue(bed);
    const flags = ['--model', model, '--root', folder, '--threads', String(threads)];
    const worker = await startWorkerProcess(bed, queue, flags);
    const pythonPeers = startPythonPeers(bed, python);
    const all = await openPeers(bed, pythonPeers, { model: resolve(model), threads });
    const lines: string[][] = [];
    for (const many of labels) {
      const names = Array.from({ length: many }, (_, i) => `thing number ${i}`);
      for (const peer of all) {
        const pairs = await measurePairs(bed, { queue, worker, peer, files, names, rounds });
        lines.push([String(many), peer.name, ...cells(pairs, Math.min(images, peer.images(many)))]);
      }
    }
    const header = [
      'labels',
      'peer',
      'its images',
      'its images/s',
      'clipfleet, images/s',
      'ratio',
      'same best label',
    ];
    const how = `${basename(model)}, ${images} JPEGs of 500 × 375, ${rounds} rounds, ${threads} threads. ${await pythonPeers.versions()}.`;
    return [table(header, lines), how].join('\n\n');
  },
});

async function openPeers(
  bed: TestBed,
  python: PythonPeers,
  { model, threads }: { model: string; threads: number },
): Promise<Peer[]> {
  const inPython = (name: string, batch: number, images: (labels: number) => number): Peer => ({
    name,
    images,
    classify: (files, labels) => python.ask({ peer: name, model, labels, files, batch, threads }),
  });
  const upTo = (ten: number, hundred: number, more: number) => (labels: number) =>
    labels <= 10 ? ten : labels <= 100 ? hundred : more;
  return [
    {
      name: 'transformers.js pipeline',
      images: upTo(32, 8, 1),
      classify: await openTransformersJs(bed, model, threads),
    },
    inPython('transformers pipeline', 8, upTo(96, 48, 16)),
    inPython('torch loop', 16, () => 96),
    inPython('daft classify_image', 16, upTo(96, 48, 16)),
  ];
}

interface Pair {
  ours: number;
  theirs: number;
  /** Share of the peer's images that got the same best label from both. */
  same: number;
}

interface PairOf {
  queue: Queue;
  worker: WorkerProcess;
  peer: Peer;
  files: readonly string[];
  names: readonly string[];
  rounds: number;
}

/** Rounds of ours and theirs, each first in every other one; or why the peer is absent. */
async function measurePairs(bed: TestBed, of: PairOf): Promise<Pair[] | string> {
  const { peer, files, names, rounds } = of;
  const some = files.slice(0, peer.images(names.length));
  const pairs: Pair[] = [];
  for (let round = 0; round <= rounds; round++) {
    bed.say(`${names.length} labels, ${peer.name}: round ${round} of ${rounds}`);
    const first = round % 2 === 0 ? await labelAll(of) : undefined;
    const theirs = await peer.classify(some, names);
    if ('absent' in theirs) return theirs.absent;
    const ours = first ?? (await labelAll(of));
    const same = theirs.best.filter((label, i) => label === ours.best[i]).length / some.length;
    if (round > 0) pairs.push({ ours: ours.rate, theirs: some.length / theirs.seconds, same });
  }
  return pairs;
}

/** All files through the worker: opened, added, waited for, and every row read. */
async function labelAll({ queue: { producer }, worker, files, names }: PairOf) {
  const labelSet = defineLabelSet({ labels: names });
  const refs = files.map((file, id) => ({ id: String(id), uri: basename(file) }));
  const start = performance.now();
  const run = await producer.openRun({ model: worker.model, labelSet });
  await run.add(refs);
  await run.seal();
  await producer.waitFor(run.run);
  const best: string[] = [];
  for await (const row of producer.rows(run.run)) {
    if (row.status !== 'classified') throw new Error(`An image has no label: ${JSON.stringify(row)}`);
    best[Number(row.id)] = row.predictions[0]!.label;
  }
  const rate = (files.length * 1000) / (performance.now() - start);
  await run.close();
  return { rate, best };
}

function cells(pairs: Pair[] | string, images: number): string[] {
  if (typeof pairs === 'string') return ['', `absent: ${pairs.replaceAll('|', '/')}`, '', '', ''];
  const column = (of: (pair: Pair) => number, digits: number) => format(spreadOf(pairs.map(of)), digits);
  return [
    String(images),
    column(({ theirs }) => theirs, 2),
    column(({ ours }) => ours, 1),
    column(({ ours, theirs }) => ours / theirs, 2),
    `${Math.round(Math.min(...pairs.map(({ same }) => same)) * 100)} %`,
  ];
}
