import { z } from 'zod';
import { labelText, promptText } from './labelSetBody.ts';
import { modelSchema } from './runBody.ts';

/** What is asked of an image, in JSON as in a form. */
export const classifyParameters = z.looseObject({
  candidate_labels: z
    .union([z.array(labelText).min(2).max(10_000), z.string().min(3).max(100_000)])
    .describe('Two labels or more: a list, or a text with commas between them.'),
  hypothesis_template: promptText.nullish().describe('Prompt with {} where the label goes.'),
  model: modelSchema.optional(),
});

const imageText = z.string().min(1);

/** The body that Hugging Face's clients send for zero-shot image classification. */
export const classifyBody = z
  .looseObject({
    inputs: z
      .union([imageText, z.looseObject({ image: imageText })])
      .describe('The image file as base64, or its http(s), s3 or data URL.'),
    parameters: classifyParameters,
    model: modelSchema.optional(),
  })
  .meta({
    examples: [
      { inputs: 'https://example.org/owl.jpg', parameters: { candidate_labels: ['fox', 'bear', 'owl'] } },
    ],
  });

export type ClassifyParameters = z.infer<typeof classifyParameters>;
export type ClassifyBody = z.infer<typeof classifyBody>;

/** The image as it was sent, and the model that is meant, where one is named. */
export function imageOfBody({ inputs, parameters, model = parameters.model }: ClassifyBody) {
  return { image: typeof inputs === 'string' ? inputs : inputs.image, model };
}

/** What `defineLabelSet` takes. */
export function labelsOfParameters({ candidate_labels: given, hypothesis_template }: ClassifyParameters): {
  labels: string[];
  template?: string;
} {
  const labels = typeof given === 'string' ? given.split(',').map((label) => label.trim()) : given;
  return {
    // Python's pipeline takes a label that comes twice for one.
    labels: [...new Set(labels.filter((label) => label !== ''))],
    ...(hypothesis_template && { template: hypothesis_template }),
  };
}
