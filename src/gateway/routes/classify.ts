import type { FastifyRequest } from 'fastify';
import { z } from 'zod';
import { ClipfleetError } from '../../shared/errors.ts';
import { chooseModel } from '../../shared/fleet/chooseModel.ts';
import { jsonIn } from '../../shared/jsonIn.ts';
import { defineLabelSet } from '../../shared/labels/labelSet.ts';
import { keysUnder } from '../../shared/redis/keys.ts';
import { imageRefLimits } from '../../shared/refs/imageRef.ts';
import { admit, untilGone } from '../http/admission.ts';
import type { GatewayApp, GatewayOptions } from '../http/gatewayApp.ts';
import { imageUriOf } from '../http/imageUri.ts';
import { readUpload } from '../http/readUpload.ts';
import { labelText, promptText } from '../schemas/labelSetBody.ts';
import { predictionAnswer, problems } from '../schemas/rowAnswer.ts';
import { modelSchema } from '../schemas/runBody.ts';

const parameters = z.looseObject({
  candidate_labels: z
    .union([z.array(labelText).min(2).max(10_000), z.string().min(3).max(100_000)])
    .describe('Two labels or more: a list, or a text with commas between them.'),
  hypothesis_template: promptText.nullish().describe('Prompt with {} where the label goes.'),
  model: modelSchema.optional(),
});

const imageText = z.string().min(1).max(imageRefLimits.uriCharsMax);

/** The body that Hugging Face's clients send for zero-shot image classification. */
const classifyBody = z
  .looseObject({
    inputs: z
      .union([imageText, z.looseObject({ image: imageText })])
      .describe('The image file as base64, or its http(s), s3 or data URL.'),
    parameters,
    model: modelSchema.optional(),
  })
  .meta({
    examples: [
      { inputs: 'https://example.org/owl.jpg', parameters: { candidate_labels: ['fox', 'bear', 'owl'] } },
    ],
  });

type Parameters = z.infer<typeof parameters>;

/** One image, answered at once through the interactive lane, in the shape of Hugging Face's inference API. */
export function classifyRoutes(app: GatewayApp, options: GatewayOptions): void {
  const { producer, redis, prefix, answerTimeoutMs, answerKeptMs } = options;

  app.post(
    '/v1/classify',
    {
      config: { scope: 'enqueue' },
      schema: {
        summary: 'Label one image now.',
        description:
          'JSON as Hugging Face’s clients send it, or multipart/form-data with a file named image and the fields candidate_labels, ' +
          'hypothesis_template and model. Labels are a text with commas between them, or the JSON of a list.',
        body: {
          content: {
            'application/json': { schema: classifyBody },
            'multipart/form-data': { schema: z.any() },
          },
        },
        response: {
          200: z.array(predictionAnswer).describe('Best first.'),
          ...problems(404, 413, 415, 422),
        },
      },
    },
    async (request, reply) => {
      const { uri, parameters: asked } = request.isMultipart()
        ? await uploaded(request)
        : imageOf(request.body as z.infer<typeof classifyBody>);
      const model = await chooseModel(redis, keysUnder(prefix), asked.model);
      await admit(options, model);
      const labelSet = defineLabelSet({
        labels: labelsOf(asked),
        ...(asked.hypothesis_template && { template: asked.hypothesis_template }),
      });
      const row = await producer.labelOne(uri, {
        model,
        labelSet,
        timeoutMs: answerTimeoutMs,
        keptMs: answerKeptMs,
        signal: untilGone(reply),
      });
      if (row.status === 'classified') return row.predictions as never;
      throw new ClipfleetError(row.error.code, row.error.message);
    },
  );
}

function labelsOf({ candidate_labels: given }: Parameters): string[] {
  const labels = typeof given === 'string' ? given.split(',').map((label) => label.trim()) : given;
  // Python's pipeline takes a label that comes twice for one.
  return [...new Set(labels.filter((label) => label !== ''))];
}

function imageOf(body: z.infer<typeof classifyBody>): { uri: string; parameters: Parameters } {
  const text = typeof body.inputs === 'string' ? body.inputs : body.inputs.image;
  const model = body.model ?? body.parameters.model;
  return { uri: imageUriOf(text), parameters: { ...body.parameters, ...(model !== undefined && { model }) } };
}

async function uploaded(request: FastifyRequest): Promise<{ uri: string; parameters: Parameters }> {
  const { bytes, fields } = await readUpload(request);
  const given = parameters.safeParse({
    ...fields,
    candidate_labels: labelsField(fields.candidate_labels),
    hypothesis_template: fields.hypothesis_template?.[0],
    model: fields.model?.[0],
  });
  if (!given.success) {
    const { path, message } = given.error.issues[0]!;
    throw new ClipfleetError('REQUEST_INVALID', `field ${path.join('.')}: ${message}.`);
  }
  return { uri: `data:;base64,${bytes.toString('base64')}`, parameters: given.data };
}

/** A text with commas, several fields, or one with the JSON of a list: labels may hold commas, and a form has few fields. */
function labelsField(given: string[] = []): unknown {
  if (given.length !== 1) return given;
  const list = jsonIn(given[0]);
  return Array.isArray(list) ? list : given[0];
}
