import { z } from 'zod';
import { readLabelSet } from '../../shared/labels/storedLabelSet.ts';
import { keysUnder } from '../../shared/redis/keys.ts';
import type { GatewayApp, GatewayOptions } from '../http/gatewayApp.ts';
import { labelSetBody, labelSetFrom, labelSetIdSchema, storedLabelSet } from '../schemas/labelSetBody.ts';
import { problems } from '../schemas/rowAnswer.ts';

export function labelSetRoutes(app: GatewayApp, { producer, redis, prefix }: GatewayOptions): void {
  app.post(
    '/v1/label-sets',
    {
      config: { scope: 'enqueue' },
      schema: {
        summary: 'Store a label set under its id. The same set again changes nothing.',
        body: labelSetBody,
        response: { 200: z.object({ id: labelSetIdSchema, labels: z.int() }), ...problems(413, 415) },
      },
    },
    async ({ body }) => {
      const set = labelSetFrom(body);
      return { id: await producer.putLabelSet(set), labels: set.labels.length };
    },
  );

  app.get(
    '/v1/label-sets/:id',
    {
      config: { scope: 'read' },
      schema: {
        summary: 'Get a label set by its id.',
        params: z.strictObject({ id: labelSetIdSchema }),
        response: { 200: storedLabelSet, ...problems(404) },
      },
    },
    async ({ params }) => ({ ...(await readLabelSet(redis, keysUnder(prefix), params.id)) }) as never,
  );
}
