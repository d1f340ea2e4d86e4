import { z } from 'zod';
import { defineLabelSet, type LabelSet, labelSetLimits } from '../../shared/labels/labelSet.ts';

export const labelText = z.string().min(1).max(labelSetLimits.labelChars);
export const promptText = z.string().min(1).max(labelSetLimits.promptChars);

/** A label set as a request has it: what `defineLabelSet` takes. The set itself is checked there, with sentences of its own. */
export const labelSetBody = z
  .strictObject({
    labels: z
      .array(
        z.union([
          labelText,
          z.strictObject({
            label: labelText,
            prompts: z.array(promptText).min(1).max(labelSetLimits.promptsPerLabel).optional(),
            threshold: z.number().optional(),
            negative: z.boolean().optional(),
          }),
        ]),
      )
      .min(1)
      .max(labelSetLimits.labels)
      .describe('Labels, each once: a text, or an object with its own prompts, threshold or negative.'),
    templates: z
      .array(promptText)
      .min(1)
      .max(labelSetLimits.templates)
      .optional()
      .describe('Prompts with {} where the label goes; of several, a label’s embeddings are averaged.'),
    scoreFunction: z.enum(['softmax', 'sigmoid', 'cosine', 'logit']).optional(),
    temperature: z.number().positive().optional(),
    topK: z.int().min(1).optional(),
    threshold: z.number().optional(),
    outputs: z
      .array(z.enum(['cosine', 'logit']))
      .max(2)
      .optional(),
  })
  .meta({ examples: [{ labels: ['fox', 'bear', 'owl'], templates: ['This is a photo of {}.'], topK: 3 }] });

/** @throws LABEL_SET_INVALID */
export function labelSetFrom(body: z.infer<typeof labelSetBody>): LabelSet {
  const { topK, ...rest } = body;
  // A set that keeps all its labels says nothing of it, so that equal sets have equal ids.
  return defineLabelSet({ ...rest, ...(topK !== undefined && topK < body.labels.length && { topK }) });
}

export const labelSetIdSchema = z.string().regex(/^[0-9a-f]{64}$/);

/** A stored label set. Open, because later versions may have more members. */
export const storedLabelSet = z.looseObject({
  v: z.int(),
  labels: z.array(z.looseObject({ label: z.string() })),
  templates: z.array(z.string()),
});
