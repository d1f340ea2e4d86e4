import { z } from 'zod';
import { thresholdsSchema } from '../../shared/labels/thresholds.ts';
import { imageRefLimits } from '../../shared/refs/imageRef.ts';
import { labelSetBody, labelSetIdSchema } from './labelSetBody.ts';

export const runIdSchema = z
  .string()
  .regex(/^[A-Za-z0-9_-]{1,64}$/)
  .describe('1 to 64 characters of A-Z a-z 0-9 _ -');

export const runParams = z.strictObject({ run: runIdSchema });

const laneSchema = z.enum(['bulk', 'interactive']);

export const modelSchema = z
  .string()
  .min(1)
  .max(512)
  .describe(
    'The identity name@revision:dtype of a model, or the name alone of one that a worker serves now.',
  );

export const newRunBody = z
  .strictObject({
    run: runIdSchema.optional().describe('A new id when absent.'),
    model: modelSchema.optional().describe('The only model that workers serve now when absent.'),
    labelSet: z
      .union([labelSetIdSchema, labelSetBody])
      .describe('The id of a stored label set, or a new one.'),
    lane: laneSchema.optional().describe('interactive overtakes bulk, which is the default.'),
    thresholds: thresholdsSchema
      .optional()
      .describe('What decides whether answers are accepted, when rows are shown; rows do not depend on it.'),
    maxFailureRate: z.number().min(0).max(1).optional(),
    source: z.string().max(200).optional().describe('What the images come from, for people.'),
    webhook: z
      .string()
      .max(2_000)
      .regex(/^https?:\/\/[^\s/?#]/i)
      .refine((url) => URL.canParse(url), 'Expected an http or https URL')
      .optional()
      .describe('URL that is told by POST when the run has ended, signed after Standard Webhooks.'),
  })
  .meta({ examples: [{ labelSet: { labels: ['fox', 'bear', 'owl'] } }] });

const accountFields = {
  expected: z.int(),
  waiting: z.int(),
  active: z.int(),
  classified: z.int(),
  failed: z.int(),
  skipped: z.int(),
  duplicates: z.int(),
  retrying: z.int(),
  done: z.int(),
};

/** A run and its account: `expected = waiting + active + classified + failed + skipped`. */
export const runAnswer = z.object({
  run: z.string(),
  model: z.string(),
  labelSet: z.string(),
  createdAt: z.string(),
  source: z.string().optional(),
  state: z.enum(['open', 'sealed', 'complete', 'cancelled']),
  paused: z.string().optional().describe('Why workers leave the run alone; absent when they do not.'),
  ...accountFields,
  failures: z.record(z.string(), z.int()).describe('Failed images by the code of their error.'),
  complete: z.boolean(),
  ended: z.boolean(),
});

/** A run among others. */
export const listedRun = runAnswer
  .partial({
    waiting: true,
    active: true,
    classified: true,
    failed: true,
    skipped: true,
    duplicates: true,
    retrying: true,
    failures: true,
    complete: true,
    ended: true,
  })
  .extend({
    storeAddress: z
      .string()
      .optional()
      .describe(
        'Where its rows are, when not in Redis. Of those in a store that is not this server’s the account is not known.',
      ),
  });

export const runDetails = runAnswer.extend({
  lane: z.string(),
  thresholds: thresholdsSchema.optional(),
  maxFailureRate: z.number().optional(),
  warnings: z.array(z.string()),
  webhook: z
    .object({
      to: z.string().describe('Without path and query, which may be secret.'),
      state: z.enum(['waiting', 'delivered', 'given up']),
      attempts: z.int(),
      error: z.string().optional().describe('Why the last try failed.'),
    })
    .optional()
    .describe('Where the end of the run is told.'),
});

export const imageRefBody = z.strictObject({
  id: z.string().min(1).max(imageRefLimits.idCharsMax).optional().describe('The uri when absent.'),
  uri: z.string().min(1).max(imageRefLimits.uriCharsMax),
});
