import { ClipfleetError } from '../../shared/errors.ts';
import type { GatewayApp } from './gatewayApp.ts';

/** Where bodies of several media types are taken, fastify checks those that come, and lets a request without one pass. To be called before the routes. */
export function requireBodies(app: GatewayApp): void {
  app.addHook('preValidation', async (request) => {
    const { body, routeOptions } = request;
    const types = (routeOptions.schema?.body as { content?: object } | undefined)?.content;
    if (!types || (body !== undefined && body !== null) || request.isMultipart()) return;
    const message = `Expected a body of ${Object.keys(types).join(' or ')}, got none.`;
    throw new ClipfleetError('REQUEST_INVALID', message);
  });
}
