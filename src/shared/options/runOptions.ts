import { z } from 'zod';
import { type ErrorCode, errorTable } from '../errors.ts';
import { CHUNK_IMAGES_MAX, runIdSchema } from '../runs/chunkJob.ts';
import { choice, integer, onOff, option, real, text } from './option.ts';

/** Codes a failed row may have. */
const imageCodes = (Object.keys(errorTable) as ErrorCode[]).filter(
  (code) => errorTable[code].scope !== 'command',
);

/** How images are added to a run. */
export const runOptions = {
  run: option({
    flag: 'run',
    env: 'CLIPFLEET_RUN',
    value: 'ID',
    schema: runIdSchema.optional(),
    defaultSays: 'a new id',
    says: 'Id of the run. The id of an earlier run continues it with the images that have no row.',
  }),
  changed: option({
    flag: 'changed',
    env: 'CLIPFLEET_CHANGED',
    schema: onOff,
    default: 'false',
    says: 'With --run: label files again that were written after their rows.',
  }),
  keepEmbeddings: option({
    flag: 'keep-embeddings',
    env: 'CLIPFLEET_KEEP_EMBEDDINGS',
    value: 'WHERE',
    schema: text.optional(),
    says: 'Keep the vector of each image, for relabel and export: a folder for label and embed, root://NAME/path for enqueue.',
  }),
  fleet: option({
    flag: 'fleet',
    env: 'CLIPFLEET_FLEET',
    schema: onOff,
    default: 'false',
    says: 'Let workers of the run’s model do it, those that reach its vectors. Prints the new run’s id.',
  }),
  chunkSize: option({
    flag: 'chunk-size',
    env: 'CLIPFLEET_CHUNK_SIZE',
    value: 'N',
    schema: integer(1, CHUNK_IMAGES_MAX),
    default: '64',
    says: 'Images in a job.',
  }),
  highWater: option({
    flag: 'high-water',
    env: 'CLIPFLEET_HIGH_WATER',
    value: 'N',
    schema: integer(1, 100_000_000),
    default: '100000',
    says: 'Most images of the run that wait in Redis. The producer pauses at this number.',
  }),
  attempts: option({
    flag: 'attempts',
    env: 'CLIPFLEET_ATTEMPTS',
    value: 'N',
    schema: integer(1, 100),
    default: '3',
    says: 'How often to try an image if the error is temporary.',
  }),
  maxFailureRate: option({
    flag: 'max-failure-rate',
    env: 'CLIPFLEET_MAX_FAILURE_RATE',
    value: 'SHARE',
    schema: real(0, 1).optional(),
    defaultSays: '0.9 for a new run of label and enqueue',
    says: 'Pause the run when more than this share of its images (0 to 1) fails. Applies after 100 images.',
  }),
  code: option({
    flag: 'code',
    env: 'CLIPFLEET_CODE',
    value: 'CODE',
    schema: z.array(choice(...imageCodes)).optional(),
    repeat: true,
    defaultSays: 'all codes',
    says: 'Only images that failed with this error code.',
  }),
} as const;
