import { z } from 'zod';
import { ClipfleetError } from '../../shared/errors.ts';
import type { GatewayApp } from '../http/gatewayApp.ts';
import { jsonSchemas } from '../schemas/jsonSchemas.ts';
import { problems } from '../schemas/rowAnswer.ts';

type Name = keyof typeof jsonSchemas;
const names = Object.keys(jsonSchemas) as [Name, ...Name[]];

/** JSON Schemas of the wire format, which need no key. */
export function schemaRoutes(app: GatewayApp): void {
  app.get(
    '/schemas',
    {
      schema: {
        summary: 'The JSON Schemas there are, by name.',
        response: { 200: z.record(z.enum(names), z.string()) },
      },
    },
    async () => Object.fromEntries(names.map((name) => [name, `/schemas/${name}`])) as Record<Name, string>,
  );

  app.get(
    '/schemas/:name',
    {
      schema: {
        summary: 'The JSON Schema of a job, a label set or a row.',
        params: z.strictObject({ name: z.string().max(50) }),
        response: { 200: z.looseObject({ $schema: z.string() }), ...problems(404) },
      },
    },
    async ({ params: { name } }, reply) => {
      const schema = jsonSchemas[name as Name];
      if (!Object.hasOwn(jsonSchemas, name)) {
        const message = `Expected a schema of ${names.join(', ')}, got ${JSON.stringify(name)}.`;
        throw new ClipfleetError('ROUTE_UNKNOWN', message);
      }
      return reply.type('application/schema+json').send(schema as never);
    },
  );
}
