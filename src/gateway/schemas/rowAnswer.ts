import { z } from 'zod';
import { decisions } from '../../results/decisions/judge.ts';

export const predictionAnswer = z.object({
  label: z.string(),
  score: z.number(),
  logit: z.number().optional(),
  cosine: z.number().optional(),
});

/** A row. Open, because later versions may have more members. */
export const rowAnswer = z.looseObject({
  run: z.string(),
  id: z.string(),
  uri: z.string(),
  status: z.enum(['classified', 'embedded', 'failed']),
  predictions: z.array(predictionAnswer).optional().describe('Of a classified row, best first.'),
  decision: z
    .enum(decisions)
    .optional()
    .describe('What thresholds make of a classified row; absent where none are given.'),
  answers: z
    .array(z.object({ label: z.string(), score: z.number(), decision: z.enum(decisions) }))
    .optional()
    .describe('The labels that thresholds decided about.'),
  error: z.object({ code: z.string(), message: z.string() }).optional().describe('Of a failed row.'),
  model: z.string().optional().describe('Identity of the model, name@revision:dtype.'),
  labelSet: z.string().optional().describe('Id of the label set.'),
  generation: z.int(),
  at: z.string().describe('When the worker made the row, ISO 8601.'),
  fingerprint: z.string().optional().describe('Of a classified row: which model files made it.'),
});

const problemAnswer = z
  .looseObject({
    type: z.string(),
    title: z.string(),
    status: z.int(),
    detail: z.string(),
    code: z.string().describe('Stable; docs/errors.md lists them.'),
    requestId: z.string(),
  })
  .describe('RFC 9457');

/** An answer that is a problem, for a route's schema. */
export const problem = { content: { 'application/problem+json': { schema: problemAnswer } } };

/** The problems that a route may answer with, for its schema. */
export function problems(...statuses: number[]): Record<number, typeof problem> {
  return Object.fromEntries([400, 401, 403, 429, 500, 503, ...statuses].map((status) => [status, problem]));
}
