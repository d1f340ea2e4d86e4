import { z } from 'zod';
import { namedRun, type RunName } from '../birth.ts';
import { ClipfleetError } from '../errors.ts';
import { type ImageRef, imageRefLimits, imageRefSchema } from '../refs/imageRef.ts';
import { shortened } from '../shortened.ts';

/** The version of jobs, rows, runs and label sets that this code writes, and the newest it reads. */
export const WIRE_VERSION = 1;

export const CHUNK_IMAGES_MAX = 256;

/** A run's announced chunks are a bitmap: 2^26 of them are 8 MiB, and 17 thousand million images in full chunks. */
export const CHUNK_NUMBER_MAX = 2 ** 26 - 1;

export const runIdSchema = z
  .string()
  .regex(/^[A-Za-z0-9_-]{1,64}$/, 'Expected a run id of 1 to 64 letters, digits, - and _');

const chunkNumberSchema = z.int().min(0).max(CHUNK_NUMBER_MAX);

/** A chunk of a run: what a job stands for. */
export interface Chunk {
  run: string;
  /** The run's mark, where its job names one. */
  birth?: string;
  chunk: number;
  /** Of a part that was taken out of the chunk, its number, from 1. */
  part?: number;
  /** Retry generation: 0 for the first pass over a run. */
  generation: number;
  images: ImageRef[];
  /** Where the images stood in the whole chunk; in their order when absent. */
  indexes?: number[];
}

/** What a run's ledger calls a chunk or a part of it: `CHUNK` or `CHUNK/PART`. */
export function pieceOf({ chunk, part }: Pick<Chunk, 'chunk' | 'part'>): string {
  return part === undefined ? String(chunk) : `${chunk}/${part}`;
}

/** The number of the chunk that a piece is, or is a part of. */
export function chunkOf(piece: string): number {
  return Number.parseInt(piece, 10);
}

/** The piece's name is its job's id, so that adding a chunk twice adds one job, and a job need not carry it again. */
export function jobId(of: RunName, piece: string, generation: number): string {
  const { run, birth } = namedRun(of);
  return [run, piece, generation, ...(birth === '' ? [] : [birth])].join('.');
}

/**
 * What a job carries: ids and uris in turns, a uri that is the id as an empty text. It waits in Redis by the hundred
 * thousand, hence no names.
 */
export const chunkJobSchema = z.strictObject({
  v: z.literal(WIRE_VERSION),
  images: z
    .array(z.string())
    .min(2)
    .max(2 * CHUNK_IMAGES_MAX)
    .superRefine((images, context) => {
      const fault = faultOf(images);
      if (fault !== undefined) context.addIssue({ code: 'custom', message: fault });
    }),
  indexes: z
    .array(
      z
        .int()
        .min(0)
        .max(CHUNK_IMAGES_MAX - 1),
    )
    .optional(),
});

/** A schema of each id and uri would take as long as all else that a worker does with a job. */
function faultOf(images: readonly string[]): string | undefined {
  if (images.length % 2 !== 0) return 'Expected ids and uris in turns';
  const { idCharsMax, uriCharsMax } = imageRefLimits;
  for (let i = 0; i < images.length; i += 2) {
    const [id, uri] = [images[i]!.length, images[i + 1]!.length];
    if (id < 1 || id > idCharsMax) return `Expected an id of 1 to ${idCharsMax} characters, got ${id}`;
    if (uri > uriCharsMax) return `Expected a uri of at most ${uriCharsMax} characters, got ${uri}`;
  }
  return undefined;
}

/** @param indexes of a part: where its images stood in the whole chunk */
export function encodeChunkJob(
  images: readonly ImageRef[],
  indexes?: number[],
): z.infer<typeof chunkJobSchema> {
  const turns = images.flatMap(({ id, uri }) => [id, uri === id ? '' : uri]);
  return { v: WIRE_VERSION, images: turns, ...(indexes && { indexes }) };
}

/**
 * The chunk that a job stands for.
 *
 * @throws JOB_NEWER for a wire version above ours, JOB_INVALID for anything else that is not a chunk.
 */
export function parseChunkJob({ id, data }: { id?: string | undefined; data: unknown }): Chunk {
  if (isNewer(data)) {
    const got = (data as { v: number }).v;
    throw new ClipfleetError(
      'JOB_NEWER',
      `Expected a job of wire version ${WIRE_VERSION}, got ${got}: upgrade this worker.`,
    );
  }
  if (typeof data === 'string') throw invalid(`job data: Expected an object in JSON, got '${data}'`);
  const name = parseJobId(id);
  if (!name)
    throw invalid(`job id: Expected RUN.CHUNK.GENERATION or RUN.CHUNK.GENERATION.BIRTH, got '${id}'`);
  const { success, data: job, error } = chunkJobSchema.safeParse(data);
  if (!success) throw invalid(faultsIn(error, 'job'));
  const images: ImageRef[] = [];
  for (let i = 0; i < job.images.length; i += 2) {
    const id = job.images[i]!;
    images.push({ id, uri: job.images[i + 1] || id });
  }
  const { indexes } = job;
  if (indexes && indexes.length !== images.length) throw invalid('job indexes: Expected one for each image');
  return { ...name, images, ...(indexes && { indexes }) };
}

/** The images of a job that parseChunkJob refused, with empty uris where there are none, if its id and theirs can be read. */
export function salvageChunk({ id, data }: { id?: string | undefined; data: unknown }): Chunk | undefined {
  const name = parseJobId(id);
  const given = (data as { images?: unknown } | null)?.images;
  if (!name || !Array.isArray(given) || given.length > SALVAGED_MAX) return undefined;
  const images: ImageRef[] = [];
  for (let i = 0; i < given.length; i += 2) {
    if (!imageRefSchema.shape.id.safeParse(given[i]).success) return undefined;
    const uri: unknown = given[i + 1] === '' ? given[i] : given[i + 1];
    const isUri = typeof uri === 'string' && uri.length <= imageRefLimits.uriCharsMax;
    images.push({ id: given[i] as string, uri: isUri ? uri : '' });
  }
  return { ...name, images };
}

const SALVAGED_MAX = 20_000;

/** Whether a job is no chunk, neither of this version nor of a newer one, and says not even which images it was for. */
export function isBeyondSaving(job: { id?: string | undefined; data: unknown }): boolean {
  return !isNewer(job.data) && salvageChunk(job) === undefined;
}

function isNewer(data: unknown): boolean {
  const version = (data as { v?: unknown } | null)?.v;
  return typeof version === 'number' && version > WIRE_VERSION;
}

/** Of which chunk or part a job is by its id. */
export function parseJobId(id = ''): Omit<Chunk, 'images'> | undefined {
  const [, run, chunk, part, generation, birth] =
    /^([^.]+)\.(\d{1,8})(?:\/(\d{1,4}))?\.(\d{1,4})(?:\.([a-z0-9]{1,16}))?$/.exec(id) ?? [];
  if (!runIdSchema.safeParse(run).success) return undefined;
  if (!chunkNumberSchema.safeParse(Number(chunk)).success) return undefined;
  const name = { run: run!, chunk: Number(chunk), generation: Number(generation) };
  return {
    ...name,
    ...(birth !== undefined && { birth }),
    ...(part !== undefined && { part: Number(part) }),
  };
}

/** A job may come from anybody, and its faults quote it. */
const FAULTS_CHARS_MAX = 500;

function invalid(faults: string): ClipfleetError {
  const expected = `Expected a chunk of wire version ${WIRE_VERSION}`;
  return new ClipfleetError('JOB_INVALID', `${expected}: ${shortened(faults, FAULTS_CHARS_MAX)}.`);
}

function faultsIn({ issues }: z.ZodError, whole: string): string {
  const faults = issues.slice(0, 5).map(({ path, message }) => `${[whole, ...path].join(' ')}: ${message}`);
  return faults.join('; ');
}
