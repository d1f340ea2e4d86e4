import { z } from 'zod';
import { ClipfleetError } from '../../shared/errors.ts';
import { chooseModel } from '../../shared/fleet/chooseModel.ts';
import { keysUnder } from '../../shared/redis/keys.ts';
import { imageRefLimits } from '../../shared/refs/imageRef.ts';
import { together } from '../../shared/together.ts';
import { admit, untilGone } from '../http/admission.ts';
import type { GatewayApp, GatewayOptions } from '../http/gatewayApp.ts';
import { imageUriOf } from '../http/imageUri.ts';
import { promptText } from '../schemas/labelSetBody.ts';
import { problems } from '../schemas/rowAnswer.ts';
import { modelSchema } from '../schemas/runBody.ts';

/** As OpenAI has it. */
const INPUTS_MAX = 2_048;

const imageText = z.string().min(1).max(imageRefLimits.uriCharsMax);
const textOrUrl = z.union([promptText, imageText.regex(/^data:/i)]);
const input = z.union([
  textOrUrl,
  z.strictObject({ text: promptText }),
  z.strictObject({ image: imageText }),
]);

const embeddingsBody = z
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

const embeddingsAnswer = z.object({
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

/** Unit vectors of texts and images, in the shape of OpenAI's API. They pass through Redis, and expire there after a minute. */
export function embeddingRoutes(app: GatewayApp, options: GatewayOptions): void {
  const { producer, redis, prefix, answerTimeoutMs: timeoutMs } = options;

  app.post(
    '/v1/embeddings',
    {
      config: { scope: 'enqueue', isOpenAi: true },
      schema: {
        summary: 'The vectors of texts and images, in one space.',
        body: embeddingsBody,
        response: { 200: embeddingsAnswer, ...problems(404, 413, 415, 422) },
      },
    },
    async ({ body }, reply) => {
      const inputs: Input[] = Array.isArray(body.input) ? body.input : [body.input];
      const model = await chooseModel(redis, keysUnder(prefix), body.model);
      await admit(options, model);
      const asked = { model, timeoutMs, signal: untilGone(reply) };
      const vectors: Float32Array[] = [];
      const texts = inputs.flatMap((one, i) =>
        imageIn(one) === undefined ? [{ i, text: textIn(one) }] : [],
      );
      const images = inputs.flatMap((one, i) => {
        const image = imageIn(one);
        return image === undefined ? [] : [{ i, uri: imageUriOf(image) }];
      });
      const ofTexts =
        texts.length > 0
          ? producer.embedTexts(
              texts.map(({ text }) => text),
              asked,
            )
          : [];
      const [textVectors] = await Promise.all([
        ofTexts,
        together(images, async ({ i, uri }) => {
          vectors[i] = await producer.embedImage(uri, asked).catch((error) => {
            throw inInput(i, error);
          });
        }),
      ]);
      for (const [t, { i }] of texts.entries()) vectors[i] = textVectors[t]!;
      const isBase64 = body.encoding_format === 'base64';
      const data = vectors.map((vector, index) => {
        return { object: 'embedding' as const, index, embedding: isBase64 ? base64Of(vector) : [...vector] };
      });
      return { object: 'list' as const, data, model, usage: { prompt_tokens: 0, total_tokens: 0 } };
    },
  );
}

function imageIn(one: Input): string | undefined {
  if (typeof one === 'string') return /^data:/i.test(one) ? one : undefined;
  return 'image' in one ? one.image : undefined;
}

function textIn(one: Input): string {
  return typeof one === 'string' ? one : 'text' in one ? one.text : '';
}

function inInput(index: number, error: unknown): unknown {
  if (!(error instanceof ClipfleetError)) return error;
  return new ClipfleetError(error.code, `input[${index}]: ${error.message}`, { cause: error });
}

function base64Of({ buffer, byteOffset, byteLength }: Float32Array): string {
  return Buffer.from(buffer, byteOffset, byteLength).toString('base64');
}
