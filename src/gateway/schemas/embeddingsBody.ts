import { z } from 'zod';
import { promptText } from './labelSetBody.ts';
import { modelSchema } from './runBody.ts';

/** As OpenAI has it. */
const INPUTS_MAX = 2_048;

const imageText = z.string().min(1);
const textOrUrl = z.union([promptText, imageText.regex(/^data:/i)]);
const input = z.union([
  textOrUrl,
  z.strictObject({ text: promptText }),
  z.strictObject({ image: imageText }),
]);

/** The body that OpenAI's clients send for embeddings. */
export const embeddingsBody = z
  .looseObject({
    input: z
      .union([textOrUrl, z.array(input).min(1).max(INPUTS_MAX)])
      .describe('Texts, data: URLs of images, and {"text"} or {"image": base64 or URL}.'),
    model: modelSchema.optional(),
    encoding_format: z
      .enum(['float', 'base64'])
      .default('float')
      .describe('base64 is of float32, little-endian.'),
  })
  .meta({ examples: [{ input: ['a photo of an owl', 'a photo of a fox'], encoding_format: 'float' }] });

export type EmbeddingsBody = z.infer<typeof embeddingsBody>;

export const embeddingsAnswer = z.object({
  object: z.literal('list'),
  data: z.array(
    z.object({
      object: z.literal('embedding'),
      index: z.int(),
      embedding: z.union([z.array(z.number()), z.string()]),
    }),
  ),
  model: z.string(),
  usage: z
    .object({ prompt_tokens: z.int(), total_tokens: z.int() })
    .describe('Always 0: tokens are not counted.'),
});

type Input = z.infer<typeof input>;

/** The texts and the images among the inputs, each with its place among them. */
export function inputsOf({ input: given }: Pick<EmbeddingsBody, 'input'>) {
  const texts: { i: number; text: string }[] = [];
  const images: { i: number; image: string }[] = [];
  const inputs: Input[] = Array.isArray(given) ? given : [given];
  for (const [i, one] of inputs.entries()) {
    const said = typeof one !== 'string' ? one : /^data:/i.test(one) ? { image: one } : { text: one };
    if ('image' in said) images.push({ i, image: said.image });
    else texts.push({ i, text: said.text });
  }
  return { texts, images };
}

/** The answer to them, with a vector for each input in their order. */
export function embeddingsOf(
  vectors: readonly Float32Array[],
  { model, encoding_format }: { model: string; encoding_format: EmbeddingsBody['encoding_format'] },
): z.infer<typeof embeddingsAnswer> {
  const data = vectors.map((vector, index) => {
    const embedding = encoding_format === 'base64' ? base64Of(vector) : [...vector];
    return { object: 'embedding' as const, index, embedding };
  });
  return { object: 'list', data, model, usage: { prompt_tokens: 0, total_tokens: 0 } };
}

function base64Of({ buffer, byteOffset, byteLength }: Float32Array): string {
  return Buffer.from(buffer, byteOffset, byteLength).toString('base64');
}
