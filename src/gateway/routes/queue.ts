import { z } from 'zod';
import { ClipfleetError } from '../../shared/errors.ts';
import { laneKinds } from '../../shared/fleet/lanes.ts';
import { parseIdentity } from '../../shared/fleet/modelIdentity.ts';
import { listModels } from '../../shared/fleet/models.ts';
import { keysUnder } from '../../shared/redis/keys.ts';
import type { GatewayApp, GatewayOptions } from '../http/gatewayApp.ts';
import { problems } from '../schemas/rowAnswer.ts';

const count = z.int().min(0);

const depth = {
  /** What a scaler wants to know. */
  images: count.describe('Waiting and active: 0 only when there is nothing for a worker to do.'),
  waiting: count.describe('For a worker, for their host or for their next attempt.'),
  active: count.describe('In the hands of workers.'),
  held: count.describe('Of paused runs.'),
  oldestSeconds: z.number().describe('Since the image was added that is next; 0 where none waits.'),
};

const asked = z.object({
  model: z
    .string()
    .max(500)
    .optional()
    .describe('A model’s name, or its identity name@revision:dtype. All models when absent.'),
  lane: z.enum(laneKinds).optional(),
});

const answer = z.object({
  ...depth,
  lanes: z.array(z.object({ model: z.string(), lane: z.enum(laneKinds), ...depth })),
});

/** What waits for workers, in images: what scalers such as KEDA ask. */
export function queueRoutes(app: GatewayApp, { producer, redis, prefix }: GatewayOptions): void {
  const keys = keysUnder(prefix);

  /** @throws MODEL_NOT_FOUND for a name that no worker has ever served */
  async function identitiesOf(model: string | undefined): Promise<string[]> {
    if (model !== undefined && parseIdentity(model)) return [model];
    const served = (await listModels(redis, keys)).map((each) => each.model);
    if (model === undefined) return served;
    const named = served.filter((identity) => parseIdentity(identity)?.name === model);
    if (named.length > 0) return named;
    const message = `Expected a model that workers have served, got ${JSON.stringify(model)}.`;
    throw new ClipfleetError('MODEL_NOT_FOUND', message);
  }

  app.get(
    '/v1/queue',
    {
      config: { scope: 'read' },
      schema: {
        summary: 'Images that wait for workers or are in their hands, by model and lane: what a scaler asks.',
        querystring: asked,
        response: { 200: answer, ...problems(404) },
      },
    },
    async ({ query }) => {
      const depths = await Promise.all((await identitiesOf(query.model)).map(producer.laneDepths));
      const lanes = depths
        .flat()
        .filter(({ lane }) => query.lane === undefined || lane === query.lane)
        .map(({ oldestMs, ...each }) => ({
          ...each,
          images: each.waiting + each.active,
          oldestSeconds: oldestMs / 1_000,
        }));
      const sum = (of: 'images' | 'waiting' | 'active' | 'held') =>
        lanes.reduce((total, lane) => total + lane[of], 0);
      const oldestSeconds = Math.max(0, ...lanes.map((lane) => lane.oldestSeconds));
      const whole = {
        images: sum('images'),
        waiting: sum('waiting'),
        active: sum('active'),
        held: sum('held'),
      };
      return { ...whole, oldestSeconds, lanes };
    },
  );
}
