import { z } from 'zod';
import { choice, integer, list, option, real, text } from './option.ts';

/** Labels, and how they are scored. */
export const labelSetOptions = {
  labels: option({
    flag: 'labels',
    env: 'CLIPFLEET_LABELS',
    value: 'LIST',
    schema: text.optional(),
    says: 'Labels, separated by commas. Put a label that contains a comma in double quotes.',
  }),
  labelsFile: option({
    flag: 'labels-file',
    env: 'CLIPFLEET_LABELS_FILE',
    value: 'FILE',
    schema: text.optional(),
    says: 'Labels from a file: one a line, a JSON array, a JSON object of label to prompts, or CSV.',
  }),
  template: option({
    flag: 'template',
    env: 'CLIPFLEET_TEMPLATE',
    value: 'TEXT',
    schema: list.optional(),
    repeat: true,
    defaultSays: 'This is a photo of {}.',
    says: 'Prompt with {} in place of the label. Repeat it to average several prompts.',
  }),
  topK: option({
    flag: 'top-k',
    env: 'CLIPFLEET_TOP_K',
    value: 'K',
    schema: z.union([z.literal('all'), integer(1, 100_000)]).optional(),
    defaultSays: '10, or that of the run that is continued; in exports what rows have',
    says: 'Most predictions in a row, best first: a number, or all.',
  }),
  threshold: option({
    flag: 'threshold',
    env: 'CLIPFLEET_THRESHOLD',
    value: 'SCORE',
    schema: real(-1e9, 1e9).optional(),
    says: 'Leave predictions below this score out of the row.',
  }),
  scoreFunction: option({
    flag: 'score-function',
    env: 'CLIPFLEET_SCORE_FUNCTION',
    value: 'NAME',
    schema: choice('softmax', 'sigmoid', 'cosine', 'logit').optional(),
    defaultSays: 'the model’s own',
    says: 'How logits become scores: softmax, sigmoid, cosine or logit.',
  }),
  temperature: option({
    flag: 'temperature',
    env: 'CLIPFLEET_TEMPERATURE',
    value: 'T',
    schema: real(1e-6, 1e6).optional(),
    defaultSays: '1',
    says: 'Divides the logits before the score function. Above 1 evens the scores out.',
  }),
  outputs: option({
    flag: 'outputs',
    env: 'CLIPFLEET_OUTPUTS',
    value: 'LIST',
    schema: z
      .string()
      .regex(/^(logit|cosine)(,(logit|cosine))?$/, 'Expected logit, cosine or both, separated by a comma')
      .transform((names) => [...new Set(names.split(','))])
      .pipe(z.array(z.enum(['logit', 'cosine'])))
      .optional(),
    says: 'Also store the logit, the cosine or both (logit,cosine) behind each score.',
  }),
} as const;
