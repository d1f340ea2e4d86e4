import { setTimeout as delay } from 'node:timers/promises';
import type { RunName } from '../../shared/birth.ts';
import { namedRun } from '../../shared/birth.ts';
import { addChunkJobs, type JobTaker } from '../../shared/fleet/chunkJobs.ts';
import { defaultOf } from '../../shared/options/config.ts';
import type { ImageRef } from '../../shared/refs/imageRef.ts';
import { cancelledRun } from '../../shared/runs/runErrors.ts';
import type { Runs } from '../../shared/runs/runs.ts';
import { whileVouching } from './whileVouching.ts';

/** Images that go into one job. */
export interface NewChunk {
  images: readonly ImageRef[];
  /** Retry generation: 0 for the first pass over a run. */
  generation: number;
}

/** Chunks that were announced, and had no job that could be read. */
export interface Settled {
  /** Taken back, because nobody would ever finish them. */
  withdrawn: string[];
  /** Left alone, because the producer that announced them lives, and is about to add their jobs. */
  vouched: string[];
}

/** How chunks are added; the defaults are those of the command line. */
export interface SendOptions {
  /** Images a job carries, 1 to 256; 64 when absent. */
  chunkSize?: number;
  /** Images of the run that may wait in Redis; adding pauses above it. 100,000 when absent. */
  highWater?: number;
  /** How often an image is tried when its error may pass; 3 when absent. */
  attempts?: number;
  /** Ends the adding: it rejects with the signal's reason at once, and what was added stays. */
  signal?: AbortSignal;
  /** Told of images as they are in Redis. */
  onAdded?: (images: number) => void;
  /** Told of what was found without a job: chunks of a producer that was cut off, or of another that is at work. */
  onSettled?: (settled: Settled) => void;
}

export const sendDefaults = {
  chunkSize: defaultOf('chunkSize'),
  highWater: defaultOf('highWater'),
  attempts: defaultOf('attempts'),
};

export interface ChunkSenderOptions extends Omit<SendOptions, 'chunkSize'> {
  lane: JobTaker;
  runs: Pick<Runs, 'get' | 'reserveChunks' | 'announce' | 'vouch' | 'vouchNoMore'>;
  /** Notes what is announced, across all senders of one producer; nothing is noted when absent. */
  book?: ProducerBook;
  /** Leaves out of each chunk the images that are not to be added; all are added when absent. */
  choose?: (chunks: NewChunk[]) => Promise<NewChunk[]>;
}

/** What a producer knows of what it announced, whatever Redis says of it later. */
export interface ProducerBook {
  /** Under this name the run's record counts it too. */
  producer: string;
  images: number;
  /**
   * Above all chunk numbers it was given. A Redis that lost its last second would give some of them once more, to stand for other
   * images.
   */
  nextChunk: number;
}

export interface ChunkSender {
  /** Takes a chunk; resolves when there is room for another. Rejects with what an earlier one failed with. */
  send(chunk: NewChunk): Promise<void>;
  /** Resolves to the number of images added, when all that were taken are. */
  finish(): Promise<number>;
  /** Resolves when nothing is under way, whatever came of it. */
  settled(): Promise<void>;
}

/** Chunks that go together, so that a round trip to Redis serves many. */
const CHUNKS_MAX = 16;
const HIGH_WATER_POLL_MS = 100;

/**
 * Brings a run's chunks to Redis, several at a time: those that came while others were under way. So a fast source does not
 * wait for each, and a slow one's do not wait for more.
 *
 * Chunks are announced before their jobs are added. Whoever is cut off in between leaves announced chunks without a job. Until they have
 * one, the sender vouches for them, so that nobody takes those of a slow producer for those of a dead one.
 */
export function createChunkSender(of: RunName, options: ChunkSenderOptions): ChunkSender {
  const { run } = namedRun(of);
  const { lane, runs, choose, signal, onAdded, book } = options;
  const { highWater = sendDefaults.highWater, attempts = sendDefaults.attempts } = options;
  let gathered: NewChunk[] = [];
  let underWay: Promise<void> | undefined;
  let imagesUnderWay = 0;
  let added = 0;
  /** Images of the run that waited when it was last looked at; undefined before the first look. */
  let pending: number | undefined;

  /** Resolves to how many images may be added, 1 or more. Looks at the run again until that is so, or until it cannot be. */
  async function waitForRoom(): Promise<number> {
    while (pending === undefined || pending >= highWater) {
      signal?.throwIfAborted();
      if (pending !== undefined) await delay(HIGH_WATER_POLL_MS);
      const record = await runs.get(run);
      // Of a cancelled run nothing is finished any more; that one is gone, announcing says.
      if (record?.state === 'cancelled') throw cancelledRun(run);
      pending = record?.pending ?? 0;
    }
    signal?.throwIfAborted();
    return highWater - pending;
  }

  async function add(chunks: NewChunk[]): Promise<void> {
    let left = (await (choose?.(chunks) ?? chunks)).filter(({ images }) => images.length > 0);
    while (left.length > 0) {
      const next = fitting(left, await waitForRoom());
      left = left.slice(next.length);
      const first = await runs.reserveChunks(of, next.length, book?.nextChunk);
      if (book) book.nextChunk = first + next.length;
      const chunks = next.map((_, i) => first + i);
      const vouch = () => runs.vouch(run, chunks);
      await whileVouching(vouch, async () => {
        const announce = ({ images, generation }: NewChunk, i: number) =>
          runs.announce(of, first + i, images.length, generation, book?.producer);
        const [, ...answers] = await Promise.all([vouch(), ...next.map(announce)]);
        pending = answers.at(-1)!;
        if (book) book.images += imagesIn(next);
        const pieces = next.map((chunk, i) => ({ ...chunk, piece: String(first + i) }));
        await addChunkJobs(lane, of, pieces, attempts);
      });
      await runs.vouchNoMore(run, chunks);
      added += imagesIn(next);
      onAdded?.(imagesIn(next));
    }
  }

  function start(): void {
    const chunks = gathered;
    gathered = [];
    imagesUnderWay = imagesIn(chunks);
    underWay = add(chunks).then(() => {
      imagesUnderWay = 0;
      underWay = undefined;
      if (gathered.length > 0) start();
    });
    // Whoever waits for it next is told of its failure.
    underWay.catch(() => {});
  }

  const isFull = () =>
    gathered.length >= CHUNKS_MAX || (pending ?? 0) + imagesUnderWay + imagesIn(gathered) >= highWater;

  return {
    async send(chunk) {
      gathered.push(chunk);
      if (!underWay) start();
      while (isFull()) await (underWay ?? waitForRoom());
    },

    async finish() {
      while (underWay) await underWay;
      return added;
    },

    async settled() {
      await underWay?.catch(() => {});
    },
  };
}

/** As many of the chunks as there is room for, and one in any case: a chunk may be larger than the mark. */
function fitting(chunks: NewChunk[], room: number): NewChunk[] {
  let count = 1;
  while (count < chunks.length && imagesIn(chunks.slice(0, count + 1)) <= room) count++;
  return chunks.slice(0, count);
}

function imagesIn(chunks: readonly NewChunk[]): number {
  return chunks.reduce((sum, { images }) => sum + images.length, 0);
}
