import swagger from '@fastify/swagger';
import swaggerUi from '@fastify/swagger-ui';
import { jsonSchemaTransform } from 'fastify-type-provider-zod';
import { version } from '../../shared/version.ts';
import type { GatewayApp } from './gatewayApp.ts';

type Transform = typeof jsonSchemaTransform;

/** Makes `/openapi.json` (OpenAPI 3.1) and `/docs` from the schemas of the routes. To be called before the routes. */
export async function documentRoutes(app: GatewayApp): Promise<void> {
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: { title: 'Clipfleet', version, description: 'Label images in bulk with CLIP.' },
      components: { securitySchemes: { key: { type: 'http', scheme: 'bearer' } } },
      security: [{ key: [] }, {}],
    },
    transform: transformBodies,
  });
  await app.register(swaggerUi, { routePrefix: '/docs' });
  app.get('/openapi.json', { schema: { hide: true } }, () => app.swagger());
}

/** The library's transform knows no bodies of several media types: each goes through it by itself. */
const transformBodies: Transform = (input) => {
  const body = input.schema?.body as { content?: Record<string, { schema: unknown }> } | undefined;
  if (!body?.content) return jsonSchemaTransform(input);
  const { schema, url } = jsonSchemaTransform({ ...input, schema: { ...input.schema, body: undefined } });
  const content = Object.entries(body.content).map(([type, media]) => {
    const alone = jsonSchemaTransform({ ...input, schema: { body: media.schema } });
    return [type, { schema: alone.schema.body }];
  });
  return { schema: { ...schema, body: { content: Object.fromEntries(content) } }, url };
};
