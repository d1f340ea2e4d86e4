import { z } from 'zod';
import { ClipfleetError } from './errors.ts';
import { imageRefSchema } from './imageRef.ts';

/** The version of jobs, rows, runs and label sets that this code writes, and the newest it reads. */
export const WIRE_VERSION = 1;

export const CHUNK_IMAGES_MAX = 256;

/** A run's announced chunks are a bitmap: 2^26 of them are 8 MiB, and 17 thousand million images in full chunks. */
export const CHUNK_NUMBER_MAX = 2 ** 26 - 1;

export const runIdSchema = z
  .string()
  .regex(/^[A-Za-z0-9_-]{1,64}$/, 'Expected a run id of 1 to 64 letters, digits, - and _');

const labelSetIdSchema = z.string().regex(/^[0-9a-f]{64}$/, 'Expected a SHA-256 in hex');

/** What a job carries: one chunk of a run. */
export const chunkJobSchema = z.strictObject({
  v: z.literal(WIRE_VERSION),
  run: runIdSchema,
  chunk: z.int().min(0).max(CHUNK_NUMBER_MAX),
  generation: z.int().min(0).max(9_999),
  labelSet: labelSetIdSchema,
  images: z.array(imageRefSchema).min(1).max(CHUNK_IMAGES_MAX),
});

export type ChunkJob = z.infer<typeof chunkJobSchema>;

/** What can be saved of a job that breaks some rule: enough to give each of its images a row. */
const salvageSchema = z.object({
  run: runIdSchema,
  chunk: z.int().min(0).max(CHUNK_NUMBER_MAX),
  generation: z.int().min(0).max(9_999).catch(0),
  images: z.array(z.object({ id: imageRefSchema.shape.id, uri: z.string().catch('') })).max(10_000),
});

export type SalvagedChunk = z.infer<typeof salvageSchema>;

/**
 * The chunk in a job's data.
 *
 * @throws JOB_NEWER for a wire version above ours, JOB_INVALID for anything else that is not a chunk.
 */
export function parseChunkJob(data: unknown): ChunkJob {
  const version = (data as { v?: unknown } | null)?.v;
  if (typeof version === 'number' && version > WIRE_VERSION) {
    throw new ClipfleetError(
      'JOB_NEWER',
      `Expected a job of wire version ${WIRE_VERSION}, got ${version}: upgrade this worker.`,
    );
  }
  const parsed = chunkJobSchema.safeParse(data);
  if (parsed.success) return parsed.data;
  const faults = parsed.error.issues
    .slice(0, 5)
    .map((issue) => `${issue.path.join('.') || 'job'}: ${issue.message}`);
  throw new ClipfleetError(
    'JOB_INVALID',
    `Expected a chunk of wire version ${WIRE_VERSION}: ${faults.join('; ')}.`,
  );
}

/** The images of a job that parseChunkJob refused, if run, chunk and ids can be read. */
export function salvageChunk(data: unknown): SalvagedChunk | undefined {
  const parsed = salvageSchema.safeParse(data);
  return parsed.success ? parsed.data : undefined;
}
