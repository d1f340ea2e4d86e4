import type { FastifyInstance } from 'fastify';
import { ClipfleetError } from '../../shared/errors.ts';
import { sendProblem } from './problem.ts';

/** Answers requests that no route takes: 405 with what the path does take, else 404. To be called before the routes. */
export function refuseUnknown(app: FastifyInstance): void {
  const known = new Map<string, { form: RegExp; methods: Set<string> }>();
  app.addHook('onRoute', ({ url, method }) => {
    // Paths of files are not known before they are asked for.
    if (url.includes('*')) return;
    const route = known.get(url) ?? { form: formOf(url), methods: new Set() };
    for (const one of [method].flat()) route.methods.add(one);
    known.set(url, route);
  });
  app.setNotFoundHandler((request, reply) => {
    const path = request.url.split('?')[0]!;
    const fitting = [...known.values()].filter(({ form }) => form.test(path));
    const allowed = [...new Set(fitting.flatMap(({ methods }) => [...methods]))].sort().join(', ');
    if (allowed !== '') {
      const message = `Expected ${allowed} for ${path}, got ${request.method}.`;
      return sendProblem(
        request,
        reply.header('allow', allowed),
        new ClipfleetError('METHOD_UNKNOWN', message),
      );
    }
    const message = `Expected a route of /openapi.json, got ${request.method} ${path}.`;
    return sendProblem(request, reply, new ClipfleetError('ROUTE_UNKNOWN', message));
  });
}

/** What paths of a route look like: `:name` stands for one part. */
function formOf(url: string): RegExp {
  const parts = url
    .split('/')
    .map((part) => (part.startsWith(':') ? '[^/]+' : part.replace(/[.+?()[\]{}|^$\\]/g, '\\$&')));
  return new RegExp(`^${parts.join('/')}$`);
}
