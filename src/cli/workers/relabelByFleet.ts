import type { OpenRun } from '../../producer/runs/openRun.ts';
import { refuseTooLarge } from '../../producer/runs/redisRoom.ts';
import { readVectors } from '../../shared/embeddings/readVectors.ts';
import { vectorUri } from '../../shared/embeddings/vectorUri.ts';
import { ClipfleetError } from '../../shared/errors.ts';
import type { Config } from '../../shared/options/config.ts';
import type { ImageRef } from '../../shared/refs/imageRef.ts';
import { CHUNK_IMAGES_MAX } from '../../shared/runs/chunkJob.ts';
import type { Run } from '../../shared/runs/run.ts';
import { fingerprintOf, type KeptRun, requireVectors } from '../../worker/relabel/keptVectors.ts';
import type { Context } from '../setup/context.ts';
import { exitCodes } from '../setup/exitCodes.ts';
import type { GivenLabels } from '../setup/labels.ts';
import { onInterrupt, unlessInterrupted } from '../terminal/interrupt.ts';
import { createLossRepair } from '../terminal/lostImages.ts';
import { say } from '../terminal/screen.ts';

/**
 * Adds the vectors of a run to a new one, for workers of its model that reach them. Prints the new run's id and resolves when all are
 * added. What is cut off is cancelled.
 *
 * @throws VECTORS_UNUSABLE where vectors are missing, or lie where no worker reaches them
 */
export async function relabelByFleet(
  context: Context,
  config: Config<'highWater' | 'attempts' | 'graceMs' | 'store'>,
  given: GivenLabels,
  { record, folder }: { record: Run; folder: string },
): Promise<number> {
  const { producer, redis } = context;
  const { run: source, birth, model } = record;
  const embeddings = record.embeddings!;
  if (!embeddings.startsWith('root:')) {
    const message = `Expected vectors in root://NAME/path, which workers reach, got ${embeddings}: relabel without --fleet.`;
    throw new ClipfleetError('VECTORS_UNUSABLE', message);
  }
  const fingerprint = await fingerprintOf(source, producer.store);
  const from = { run: source, birth, folder, fingerprint };
  const vectors = () => refsOf(from, context);
  const { highWater } = config;
  await refuseTooLarge(vectors, {
    redis,
    highWater,
    labelSet: given.labelSet,
    rows: 0,
    rowsHere: config.store === undefined,
  });
  const relabels = { run: source, birth, embeddings };
  const about = { source: `relabel of ${source}`, relabels };
  const openRun = await producer.openRun({ model, ...given, ...about });
  process.stdout.write(`${openRun.run}\n`);
  const interrupt = onInterrupt('ending; the run is cancelled.', config);
  try {
    const work = () => addAll(openRun, vectors, config, interrupt.signal);
    if (await unlessInterrupted(interrupt.signal, work)) return exitCodes.classified;
    await producer.cancel(openRun.run);
    return exitCodes.interrupted;
  } finally {
    await openRun.close();
    interrupt.stop();
  }
}

async function addAll(
  openRun: OpenRun,
  vectors: () => AsyncIterable<ImageRef>,
  { highWater, attempts }: Config<'highWater' | 'attempts'>,
  signal: AbortSignal,
): Promise<void> {
  const repair = createLossRepair(openRun.run, vectors);
  let added = 0;
  const onAdded = (images: number) => {
    added += images;
  };
  for (let refs = vectors(); ; ) {
    await openRun.add(refs, { chunkSize: CHUNK_IMAGES_MAX, highWater, attempts, signal, onAdded });
    await openRun.seal();
    const missing = await openRun.confirm({ signal });
    if (missing === 0) break;
    added -= missing;
    refs = repair(missing);
  }
  say(`${added} images added, by their vectors.`);
}

/** Each classified image of a run once, by its vector, those together that lie together in a file. */
async function* refsOf(from: KeptRun, { producer }: Context): AsyncGenerator<ImageRef> {
  const places = await requireVectors(from, producer.store);
  for await (const { file, vectors } of readVectors(from)) {
    for (const { id, place, generation, ...bytes } of vectors)
      if (places.take(place, generation)) yield { id, uri: vectorUri({ file, ...bytes }) };
  }
}
