import { z } from 'zod';
import { listModels } from '../../shared/fleet/models.ts';
import { keysUnder } from '../../shared/redis/keys.ts';
import type { GatewayApp, GatewayOptions } from '../http/gatewayApp.ts';
import { problems } from '../schemas/rowAnswer.ts';

const workerAnswer = z.looseObject({
  worker: z.string(),
  host: z.string(),
  pid: z.int(),
  model: z.string(),
  device: z.string(),
  at: z.string(),
  imagesPerSecond: z.number(),
  fill: z.number(),
  bottleneck: z.string(),
  version: z.string().optional(),
  startedAt: z.string().optional(),
  inHand: z.number().optional(),
  lastBatch: z.looseObject({ at: z.string(), images: z.number() }).optional(),
  lastError: z.looseObject({ at: z.string(), code: z.string().optional(), message: z.string() }).optional(),
});

/** Models that were ever served, and the workers that serve them now. */
export function fleetRoutes(app: GatewayApp, { redis, prefix }: GatewayOptions): void {
  const keys = keysUnder(prefix);

  app.get(
    '/v1/models',
    {
      config: { scope: 'read' },
      schema: {
        summary: 'Models that workers have served, and how many serve each now.',
        response: {
          200: z.object({
            models: z.array(z.looseObject({ model: z.string(), fingerprint: z.string(), workers: z.int() })),
          }),
          ...problems(),
        },
      },
    },
    async () => ({
      models: (await listModels(redis, keys)).map(({ workers, ...about }) => ({
        ...about,
        workers: workers.length,
      })),
    }),
  );

  app.get(
    '/v1/workers',
    {
      config: { scope: 'read' },
      schema: {
        summary: 'The workers there are now, and what each did last.',
        response: { 200: z.object({ workers: z.array(workerAnswer) }), ...problems() },
      },
    },
    async () => ({
      workers: (await listModels(redis, keys)).flatMap(({ workers }) =>
        workers.map((worker) => ({ ...worker })),
      ),
    }),
  );
}
