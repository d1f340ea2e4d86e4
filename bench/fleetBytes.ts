import type { ImageRef } from '../src/shared/refs/imageRef.ts';
import { table } from './bench.ts';
import type { Fleet } from './fleetProcesses.ts';
import { imageRefs, labelSet, model } from './fleetScene.ts';
import { enqueuePaused } from './pausedRun.ts';
import { storedBytes } from './redisInfo.ts';
import type { Queue } from './workers.ts';

const WAITING_JOBS = 1_000;
/** A run's rows are in four hashes, whose tables double beyond 16,384 fields: a row takes least just before, most just after. */
const ROW_COUNTS = [65_536, 66_000];

/** A uri that is the id is stored once, and counted once. */
const uris = ['the id', 'its own'] as const;

/** What Redis holds of an image, in bytes beyond those of its id and its uri, as a table. Nothing is timed. */
export async function measureBytes(queue: Queue, fleet: Fleet, jobs: readonly number[]): Promise<string> {
  const rows: string[][] = [];
  for (const chunkSize of jobs) {
    const images = WAITING_JOBS * chunkSize;
    const line = [`image that waits in a job of ${chunkSize}`, `${images}`];
    for (const uri of uris) line.push((await bytesOf(queue, { images, uri, chunkSize })).toFixed(1));
    rows.push(line);
  }
  for (const images of ROW_COUNTS) {
    const line = ['row of five predictions', `${images}`];
    for (const uri of uris)
      line.push((await bytesOf(queue, { images, uri, chunkSize: 64 }, fleet)).toFixed(1));
    rows.push(line);
  }
  return table(['bytes beyond id and uri', 'images', ...uris.map((uri) => `where the uri is ${uri}`)], rows);
}

/** @param fleet does the run before the bytes are counted, where it is given */
async function bytesOf(
  queue: Queue,
  { images, uri, chunkSize }: { images: number; uri: (typeof uris)[number]; chunkSize: number },
  fleet?: Fleet,
): Promise<number> {
  const { redis } = queue;
  const refs = [...imageRefs(images)].map(
    (ref): ImageRef => (uri === 'the id' ? { ...ref, uri: ref.id } : ref),
  );
  const named = refs.reduce((sum, ref) => sum + ref.id.length + (uri === 'the id' ? 0 : ref.uri.length), 0);
  await redis.flushall();
  const empty = await storedBytes(redis);
  const paused = await enqueuePaused(queue, { model, labelSet }, refs, chunkSize);
  if (fleet) {
    await fleet.open(1, paused.lane, true);
    await paused.time();
    await fleet.close(1);
  }
  const bytes = (await storedBytes(redis)) - empty - named;
  await paused.close();
  return bytes / images;
}
