import { basename, relative } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { openModel } from '../src/classifier.ts';
import { defineLabelSet } from '../src/shared/labels/labelSet.ts';
import type { Dtype } from '../src/worker/onnx/dtype.ts';
import type { TestBed } from './bench.ts';
import { type Cost, decodeAlone, sessionAlone, sharpAlone } from './ceilings.ts';
import { cores } from './commonArguments.ts';
import type { Jpegs } from './jpegs.ts';
import { type TimedRun, timeRun } from './timedRun.ts';
import { type Queue, startWorkerProcess } from './workers.ts';

/** What one round gives, all measured one after the other. */
export interface Round {
  decode: Cost;
  session: Cost;
  sharp: Cost;
  sharpWhole: Cost;
  worker: TimedRun;
  /** Images a second that decode and session allow together. */
  both: number;
  /** Images in a batch, of those that fit. */
  fill: number;
}

export interface Choice {
  model: string;
  dtype: Dtype;
  device: 'cpu' | 'cuda';
  threads: number;
  batch: number;
  rounds: number;
  /** Where the images are: the worker's root. */
  folder: string;
}

const labelSet = defineLabelSet({ labels: Array.from({ length: 10 }, (_, i) => `thing number ${i}`) });

/** A run should last so long that its beginning and its end are a small part of it. */
const RUN_SECONDS = 5;
/** After so long the worker has logged its last batches. */
const LOGGED_MS = 1_500;

/** The files again and again, until there are so many. */
function repeated(files: readonly string[], least: number): string[] {
  const times = Math.max(1, Math.ceil(least / files.length));
  return Array.from({ length: times }, () => files).flat();
}

/** Batches the bare session takes in a round: with one queued behind the other, enough for a rate. */
const SESSION_BATCHES = 6;

/** One model's rounds, all sizes of images in turns. Its worker waits, idle, while the ceilings are measured. */
export async function measureModel(bed: TestBed, queue: Queue, choice: Choice, jpegs: readonly Jpegs[]) {
  const { dtype, device, threads, batch, rounds, folder } = choice;
  const scale = { logitScale: 100, logitBias: 0 };
  const model = await openModel({ model: choice.model, dtype, device, threads, ...scale });
  const worker = await startWorkerProcess(bed, queue, [
    ...['--model', choice.model, '--dtype', dtype, '--device', device, '--threads', String(threads)],
    ...['--batch-size', String(batch), '--root', folder, '--logit-scale', '100', '--logit-bias', '0'],
  ]);
  const measured = jpegs.map((): Round[] => []);
  for (let round = 0; round <= rounds; round++) {
    for (const [i, { files, name }] of jpegs.entries()) {
      bed.say(`${basename(choice.model)}, ${name}: round ${round} of ${rounds}`);
      // The first round warms up, for which a part is enough.
      const some = round === 0 ? files.slice(0, 4 * batch) : files;
      const decode = await decodeAlone(some, model.preprocessing);
      const session = await sessionAlone(model, batch, { images: SESSION_BATCHES * batch, ms: 500 });
      const sharp = await sharpAlone(some, model.preprocessing, 'as users do');
      const sharpWhole = await sharpAlone(some, model.preprocessing, 'whole');
      const onCores = (cores * 1000) / (decode.coreMs + session.coreMs);
      const images = repeated(some, onCores * RUN_SECONDS).map((file, id) => ({
        id: String(id),
        uri: relative(folder, file),
      }));
      const before = worker.batches();
      const run = await timeRun(queue, worker, labelSet, images);
      await delay(LOGGED_MS);
      const after = worker.batches();
      const fill = (after.images - before.images) / ((after.batches - before.batches) * batch);
      const both = device === 'cuda' ? Math.min(session.rate, onCores) : onCores;
      if (round > 0) measured[i]!.push({ decode, session, sharp, sharpWhole, worker: run, both, fill });
    }
  }
  await worker.stop();
  await model.close();
  return jpegs.map(({ name }, i) => ({
    about: [basename(choice.model), name],
    measured: measured[i]!,
  }));
}
