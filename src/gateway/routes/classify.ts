import type { FastifyRequest } from 'fastify';
import { z } from 'zod';
import { ClipfleetError } from '../../shared/errors.ts';
import { chooseModel } from '../../shared/fleet/chooseModel.ts';
import { jsonIn } from '../../shared/jsonIn.ts';
import { defineLabelSet } from '../../shared/labels/labelSet.ts';
import { keysUnder } from '../../shared/redis/keys.ts';
import { admit, untilGone } from '../http/admission.ts';
import type { GatewayApp, GatewayOptions } from '../http/gatewayApp.ts';
import { readUpload } from '../http/readUpload.ts';
import {
  type ClassifyBody,
  type ClassifyParameters,
  classifyBody,
  classifyParameters,
  imageOfBody,
  labelsOfParameters,
} from '../schemas/classifyBody.ts';
import { predictionAnswer, problems } from '../schemas/rowAnswer.ts';
import { imageIn } from '../uploads/imageIn.ts';
import type { LendImage } from '../uploads/lendImage.ts';

/** One image, answered at once through the interactive lane, in the shape of Hugging Face's inference API. */
export function classifyRoutes(app: GatewayApp, options: GatewayOptions, lend: LendImage): void {
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
      const asked = request.isMultipart()
        ? await uploaded(request)
        : sentAsJson(request.body as ClassifyBody);
      const { image, parameters } = asked;
      const model = await chooseModel(redis, keysUnder(prefix), asked.model);
      await admit(options, model);
      const labelSet = defineLabelSet(labelsOfParameters(parameters));
      const how = { model, labelSet, timeoutMs: answerTimeoutMs, keptMs: answerKeptMs };
      const signal = untilGone(reply);
      return lend(image, async (uri) => {
        const row = await producer.labelOne(uri, { ...how, signal });
        if (row.status === 'classified') return row.predictions as never;
        throw new ClipfleetError(row.error.code, row.error.message);
      });
    },
  );
}

interface Asked {
  image: Buffer | string;
  parameters: ClassifyParameters;
  model: string | undefined;
}

function sentAsJson(body: ClassifyBody): Asked {
  const { image, model } = imageOfBody(body);
  return { image: imageIn(image), parameters: body.parameters, model };
}

async function uploaded(request: FastifyRequest): Promise<Asked> {
  const { bytes, fields } = await readUpload(request);
  const given = classifyParameters.safeParse({
    ...fields,
    candidate_labels: labelsField(fields.candidate_labels),
    hypothesis_template: fields.hypothesis_template?.[0],
    model: fields.model?.[0],
  });
  if (!given.success) {
    const { path, message } = given.error.issues[0]!;
    throw new ClipfleetError('REQUEST_INVALID', `field ${path.join('.')}: ${message}.`);
  }
  const { model } = given.data;
  return { image: bytes, parameters: given.data, model };
}

/** A text with commas, several fields, or one with the JSON of a list: labels may hold commas, and a form has few fields. */
function labelsField(given: string[] = []): unknown {
  if (given.length !== 1) return given;
  const list = jsonIn(given[0]);
  return Array.isArray(list) ? list : given[0];
}
