import { z } from 'zod';
import { requireScope } from '../access/access.ts';
import type { GatewayApp, GatewayOptions } from '../http/gatewayApp.ts';
import { problems } from '../schemas/rowAnswer.ts';
import { runDetails, runParams } from '../schemas/runBody.ts';
import type { Webhooks } from '../webhooks/openWebhooks.ts';
import { readRun } from './runs.ts';

/** What is done with runs that are there; each answers with the run as it is then. */
export function controlRoutes(app: GatewayApp, options: GatewayOptions, webhooks: Webhooks): void {
  const { producer } = options;
  const actions = {
    seal: ['enqueue', 'Say that no more images come: the run is complete when all have rows.', seal],
    pause: ['enqueue', 'Let workers leave the run alone.', pause],
    resume: ['enqueue', 'Let workers go on with a paused run.', producer.resume],
    retry: ['enqueue', 'Try the failed images again.', retry],
    cancel: ['admin', 'End the run. Images without a row are skipped.', producer.cancel],
  } as const;

  for (const [action, [scope, summary, act]] of Object.entries(actions)) {
    app.post(
      `/v1/runs/:run/${action}`,
      {
        config: { scope },
        schema: {
          summary,
          params: runParams,
          response: { 200: runDetails, ...problems(404, 409) },
        },
      },
      async ({ params: { run } }) => {
        await act(run);
        return readRun(options, run, webhooks);
      },
    );
  }

  /** The end to come is told as the first was. */
  async function retry(run: string): Promise<void> {
    if ((await producer.retry(run)) > 0) await webhooks.again(run);
  }

  async function seal(run: string): Promise<void> {
    await producer.describe(run);
    await producer.runs.seal(run);
  }

  async function pause(run: string): Promise<void> {
    await producer.control.pause(run, 'by request');
  }

  app.post(
    '/v1/actions',
    {
      config: { scope: 'enqueue' },
      schema: {
        summary: 'Do one thing with several runs. Each has its own answer. To cancel needs the scope admin.',
        body: z.strictObject({
          action: z.enum(['pause', 'resume', 'retry', 'cancel']),
          runs: z.array(runParams.shape.run).min(1).max(1_000),
        }),
        response: {
          200: z.object({ results: z.array(z.object({ run: z.string(), error: z.string().optional() })) }),
          ...problems(413, 415),
        },
      },
    },
    async (request) => {
      const { action, runs } = request.body;
      const [scope, , act] = actions[action];
      requireScope(request, scope);
      const results: { run: string; error?: string }[] = [];
      for (const run of runs) {
        const error = await Promise.resolve(act(run)).then(
          () => undefined,
          (thrown: Error) => thrown.message,
        );
        results.push({ run, ...(error !== undefined && { error }) });
      }
      return { results };
    },
  );
}
