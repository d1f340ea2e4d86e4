import { z } from 'zod';
import { newRunId } from '../../producer/producer.ts';
import { chooseModel } from '../../shared/fleet/chooseModel.ts';
import type { LabelSet } from '../../shared/labels/labelSet.ts';
import { readLabelSet } from '../../shared/labels/storedLabelSet.ts';
import { checkThresholds } from '../../shared/labels/thresholds.ts';
import { keysUnder } from '../../shared/redis/keys.ts';
import { createIdempotency, idempotencyHeaders } from '../access/idempotency.ts';
import type { GatewayApp, GatewayOptions } from '../http/gatewayApp.ts';
import { labelSetFrom } from '../schemas/labelSetBody.ts';
import { problems } from '../schemas/rowAnswer.ts';
import { listedRun, newRunBody, runAnswer, runDetails, runParams } from '../schemas/runBody.ts';
import type { Webhooks } from '../webhooks/openWebhooks.ts';

const openedAnswer = z.object({ run: z.string(), model: z.string(), labelSet: z.string() });

/** Opens, lists, shows and removes runs. */
export function runRoutes(app: GatewayApp, options: GatewayOptions, webhooks: Webhooks): void {
  const { producer, redis, prefix } = options;
  const idempotency = createIdempotency(redis, prefix);

  async function labelSetOf(given: z.infer<typeof newRunBody>['labelSet']): Promise<LabelSet> {
    return typeof given === 'string' ? readLabelSet(redis, keysUnder(prefix), given) : labelSetFrom(given);
  }

  app.post(
    '/v1/runs',
    {
      config: { scope: 'enqueue' },
      schema: {
        summary: 'Open a run. The same idempotency key gives the same run.',
        headers: idempotencyHeaders,
        body: newRunBody,
        response: { 201: openedAnswer, ...problems(404, 409, 413, 415) },
      },
    },
    async (request, reply) => {
      const { body } = request;
      const opened = await idempotency.once(request, { run: body.run ?? newRunId() }, async ({ run }) => {
        const { lane, maxFailureRate, source, thresholds, webhook } = body;
        if (webhook !== undefined) webhooks.check(webhook);
        const model = await chooseModel(redis, keysUnder(prefix), body.model);
        const labelSet = await labelSetOf(body.labelSet);
        if (thresholds) checkThresholds(thresholds, labelSet);
        const told = {
          ...(thresholds && { thresholds }),
          ...(maxFailureRate !== undefined && { maxFailureRate }),
          ...(source && { source }),
        };
        const open = await producer.openRun({ run, model, labelSet, ...(lane && { lane }), ...told });
        await open.close();
        const record = await producer.describe(run);
        if (webhook !== undefined) await webhooks.add(run, record.birth ?? '', webhook);
        return { run, model, labelSet: record.labelSet };
      });
      return reply.code(201).header('location', `/v1/runs/${opened.run}`).send(opened);
    },
  );

  app.get(
    '/v1/runs',
    {
      config: { scope: 'read' },
      schema: {
        summary: 'List the runs, newest first.',
        querystring: z.strictObject({
          state: runAnswer.shape.state.optional(),
          limit: z.coerce.number().int().min(1).max(1_000).default(1_000),
        }),
        response: { 200: z.object({ runs: z.array(listedRun) }), ...problems() },
      },
    },
    async ({ query: { state, limit } }) => {
      const runs = (await producer.list()).filter((run) => state === undefined || run.state === state);
      return { runs: runs.slice(0, limit) };
    },
  );

  app.get(
    '/v1/runs/:run',
    {
      config: { scope: 'read' },
      schema: {
        summary: 'A run, its account and its warnings.',
        params: runParams,
        response: { 200: runDetails, ...problems(404) },
      },
    },
    async ({ params: { run } }) => readRun(options, run, webhooks),
  );

  app.delete(
    '/v1/runs/:run',
    {
      config: { scope: 'admin' },
      schema: {
        summary: 'Remove a complete or cancelled run and its rows.',
        params: runParams,
        response: { 204: z.null(), ...problems(404, 409) },
      },
    },
    async ({ params: { run } }, reply) => {
      await producer.remove(run);
      return reply.code(204).send(null);
    },
  );
}

/** @throws RUN_UNKNOWN */
export async function readRun(
  { producer }: GatewayOptions,
  run: string,
  webhooks: Webhooks,
): Promise<z.infer<typeof runDetails>> {
  const { model, lane, createdAt, source, maxFailureRate, thresholds } = await producer.describe(run);
  const [progress, warnings, webhook] = await Promise.all([
    producer.progress(run),
    producer.runs.warnings(run),
    webhooks.shown(run),
  ]);
  const about = { run, model, lane, createdAt, source, maxFailureRate, thresholds, warnings };
  return { ...about, ...(webhook && { webhook }), ...progress };
}
