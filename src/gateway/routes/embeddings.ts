import { ClipfleetError } from '../../shared/errors.ts';
import { chooseModel } from '../../shared/fleet/chooseModel.ts';
import { keysUnder } from '../../shared/redis/keys.ts';
import { together } from '../../shared/together.ts';
import { admit, untilGone } from '../http/admission.ts';
import type { GatewayApp, GatewayOptions } from '../http/gatewayApp.ts';
import { embeddingsAnswer, embeddingsBody, embeddingsOf, inputsOf } from '../schemas/embeddingsBody.ts';
import { problems } from '../schemas/rowAnswer.ts';
import { imageIn } from '../uploads/imageIn.ts';
import type { LendImage } from '../uploads/lendImage.ts';

/** Unit vectors of texts and images, in the shape of OpenAI's API. They pass through Redis, and expire there after a minute. */
export function embeddingRoutes(app: GatewayApp, options: GatewayOptions, lend: LendImage): void {
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
      const { texts, images } = inputsOf(body);
      const given = images.map(({ i, image }) => ({ i, image: imageIn(image) }));
      const model = await chooseModel(redis, keysUnder(prefix), body.model);
      await admit(options, model);
      const asked = { model, timeoutMs, signal: untilGone(reply) };
      const vectors: Float32Array[] = [];
      const ofTexts =
        texts.length > 0
          ? producer.embedTexts(
              texts.map(({ text }) => text),
              asked,
            )
          : [];
      const [textVectors] = await Promise.all([
        ofTexts,
        together(given, async ({ i, image }) => {
          vectors[i] = await lend(image, (uri) => producer.embedImage(uri, asked)).catch((error) => {
            throw inInput(i, error);
          });
        }),
      ]);
      for (const [t, { i }] of texts.entries()) vectors[i] = textVectors[t]!;
      return embeddingsOf(vectors, { model, encoding_format: body.encoding_format });
    },
  );
}

function inInput(index: number, error: unknown): unknown {
  if (!(error instanceof ClipfleetError)) return error;
  return new ClipfleetError(error.code, `input[${index}]: ${error.message}`, { cause: error });
}
