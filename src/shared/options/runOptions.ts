import { z } from 'zod';
import { type ErrorCode, errorTable } from '../errors.ts';
import { CHUNK_IMAGES_MAX, runIdSchema } from '../runs/chunkJob.ts';
import { choice, integer, option, real } from './option.ts';

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
    says: 'Id of the run; that of an earlier run continues it with what has no row yet.',
  }),
  chunkSize: option({
    flag: 'chunk-size',
    env: 'CLIPFLEET_CHUNK_SIZE',
    value: 'N',
    schema: integer(1, CHUNK_IMAGES_MAX),
    default: '64',
    says: 'Images a job carries.',
  }),
  highWater: option({
    flag: 'high-water',
    env: 'CLIPFLEET_HIGH_WATER',
    value: 'N',
    schema: integer(1, 100_000_000),
    default: '100000',
    says: 'Images of the run that may wait in Redis; the producer pauses above it.',
  }),
  attempts: option({
    flag: 'attempts',
    env: 'CLIPFLEET_ATTEMPTS',
    value: 'N',
    schema: integer(1, 100),
    default: '3',
    says: 'How often an image is tried when the error may pass.',
  }),
  maxFailureRate: option({
    flag: 'max-failure-rate',
    env: 'CLIPFLEET_MAX_FAILURE_RATE',
    value: 'SHARE',
    schema: real(0, 1).optional(),
    defaultSays: 'no limit',
    says: 'Share of failed images, 0 to 1, above which the run is paused, once 100 images are done.',
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
