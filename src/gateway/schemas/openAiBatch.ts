import { z } from 'zod';
import { keptSeconds } from './openAiFile.ts';

const METADATA_MAX = 16;
const WINDOW_HOURS_MAX = 168;

const secondsOf = { s: 1, m: 60, h: 3_600 };

/** @returns seconds */
export function windowSeconds(window: string): number {
  const [, count = '', unit = ''] = /^(\d+)([smh])$/.exec(window) ?? [];
  return Number(count) * (secondsOf[unit as keyof typeof secondsOf] ?? Number.NaN);
}

/** The body that OpenAI's clients send for a batch. */
export const newBatchBody = z
  .looseObject({
    input_file_id: z.string().min(1).max(100),
    endpoint: z.enum(['/v1/classify', '/v1/embeddings']).describe('Of all its lines.'),
    completion_window: z
      .string()
      .regex(/^[1-9]\d{0,3}[smh]$/)
      .refine((window) => windowSeconds(window) <= WINDOW_HOURS_MAX * 3_600, 'Expected at most 168h')
      .describe('After so long the batch expires: 24h, or another time of up to 168h in s, m or h.'),
    metadata: z
      .record(z.string().max(64), z.string().max(512))
      .refine((given) => Object.keys(given).length <= METADATA_MAX, `Expected at most ${METADATA_MAX} pairs`)
      .nullish(),
    output_expires_after: z
      .looseObject({ anchor: z.literal('created_at'), seconds: keptSeconds })
      .nullish()
      .describe('How long its output and error files stay.'),
  })
  .meta({
    examples: [
      {
        input_file_id: 'file-0123456789abcdef01234567',
        endpoint: '/v1/classify',
        completion_window: '24h',
      },
    ],
  });

const moment = z.int().nullable();

/** A batch as OpenAI's API has it. */
export const batchAnswer = z.object({
  id: z.string(),
  object: z.literal('batch'),
  endpoint: z.string(),
  errors: z
    .object({
      object: z.literal('list'),
      data: z.array(
        z.object({
          code: z.string(),
          message: z.string(),
          param: z.string().nullable(),
          line: z.int().nullable(),
        }),
      ),
    })
    .nullable()
    .describe('Why it failed.'),
  input_file_id: z.string(),
  completion_window: z.string(),
  status: z.enum([
    'validating',
    'failed',
    'in_progress',
    'finalizing',
    'completed',
    'expired',
    'cancelling',
    'cancelled',
  ]),
  output_file_id: z.string().nullable(),
  error_file_id: z.string().nullable(),
  created_at: z.int(),
  in_progress_at: moment,
  expires_at: z.int(),
  finalizing_at: moment,
  completed_at: moment,
  failed_at: moment,
  expired_at: moment,
  cancelling_at: moment,
  cancelled_at: moment,
  request_counts: z.object({ total: z.int(), completed: z.int(), failed: z.int() }),
  metadata: z.record(z.string(), z.string()).nullable(),
});

export const batchParams = z.strictObject({ batch: z.string().min(1).max(100).describe('batch_...') });
