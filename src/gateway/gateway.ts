import { randomUUID } from 'node:crypto';
import multipart from '@fastify/multipart';
import underPressure from '@fastify/under-pressure';
import { type FastifyBaseLogger, fastify, LogController } from 'fastify';
import { serializerCompiler, validatorCompiler, type ZodTypeProvider } from 'fastify-type-provider-zod';
import { guardRoutes } from './access/access.ts';
import { allowOrigins } from './access/cors.ts';
import { limitRate } from './access/rateLimit.ts';
import { openBatches } from './batches/openBatches.ts';
import { createFileStore } from './files/fileStore.ts';
import type { GatewayApp, GatewayOptions } from './http/gatewayApp.ts';
import { documentRoutes } from './http/openApi.ts';
import { sendProblem } from './http/problem.ts';
import { createProgressFeed } from './http/progressFeed.ts';
import { requireBodies } from './http/requireBody.ts';
import { refuseUnknown } from './http/unknownRoute.ts';
import { batchRoutes } from './routes/batches.ts';
import { classifyRoutes } from './routes/classify.ts';
import { controlRoutes } from './routes/control.ts';
import { embeddingRoutes } from './routes/embeddings.ts';
import { eventRoutes } from './routes/events.ts';
import { fileRoutes } from './routes/files.ts';
import { fleetRoutes } from './routes/fleet.ts';
import { healthRoutes } from './routes/health.ts';
import { imageRoutes } from './routes/images.ts';
import { labelSetRoutes } from './routes/labelSets.ts';
import { metricsRoute } from './routes/metrics.ts';
import { pageRoutes } from './routes/page.ts';
import { queueRoutes } from './routes/queue.ts';
import { rowRoutes } from './routes/rows.ts';
import { runRoutes } from './routes/runs.ts';
import { schemaRoutes } from './routes/schemas.ts';
import { summaryRoutes } from './routes/summary.ts';
import { uploadRoutes } from './routes/uploads.ts';
import { measureGateway } from './telemetry/gatewayMetrics.ts';
import { createLendImage } from './uploads/lendImage.ts';
import { openWebhooks } from './webhooks/openWebhooks.ts';

/** A caller's own request id is taken where it can do no harm in a log. */
const requestIdForm = /^[A-Za-z0-9._-]{1,64}$/;

/** Streams of a client that reads nothing are not waited for when the gateway ends. */
const LOOP_DELAY_MAX_MS = 2_000;

/** Node takes no longer head of a request. */
const PATH_CHARS_MAX = 16_384;

/** The address at which workers reach a gateway that listens; on all addresses, workers of this machine do. */
export function workersUrl(app: GatewayApp, { gateway }: Pick<GatewayOptions, 'gateway'>): string {
  return gateway ?? app.listeningOrigin.replace(/\/\/(0\.0\.0\.0|\[::\])(?=:)/, '//127.0.0.1');
}

/** The HTTP gateway, ready to listen. */
export async function openGateway(options: GatewayOptions): Promise<GatewayApp> {
  const { log, keys, bodyBytesMax, corsOrigin: origins = [] } = options;
  const app = fastify({
    loggerInstance: log as FastifyBaseLogger,
    logController: new LogController({ disableRequestLogging: true }),
    bodyLimit: bodyBytesMax,
    // A path that is too long for its schema is refused by that, with a problem of ours.
    routerOptions: { maxParamLength: PATH_CHARS_MAX },
    // Server-sent events of a page that stays open would keep it from ending.
    forceCloseConnections: true,
    genReqId: ({ headers }) => {
      const own = headers['x-request-id'];
      return typeof own === 'string' && requestIdForm.test(own) ? own : randomUUID();
    },
  }).withTypeProvider<ZodTypeProvider>();
  app.setValidatorCompiler(validatorCompiler);
  app.setSerializerCompiler(serializerCompiler);
  app.decorateReply('problemCode', undefined);
  app.setErrorHandler((error, request, reply) => sendProblem(request, reply, error));
  refuseUnknown(app);
  app.addHook('onRequest', async (request, reply) => {
    reply.header('x-request-id', request.id).header('x-content-type-options', 'nosniff');
  });
  const metrics = measureGateway(app, options);
  allowOrigins(app, origins);
  guardRoutes(app, keys, { trustedHosts: options.trustedHosts ?? [], origins });
  await limitRate(app, options);
  await app.register(underPressure, { maxEventLoopDelay: LOOP_DELAY_MAX_MS, retryAfter: 1 });
  await app.register(multipart, { limits: { fileSize: bodyBytesMax, files: 1, fields: 50, parts: 60 } });
  app.removeContentTypeParser('text/plain');
  // Streamed bodies are read by their route, as fast as the run takes them.
  app.addContentTypeParser(['application/x-ndjson', 'application/jsonl'], (_, body, done) =>
    done(null, body),
  );
  requireBodies(app);
  await documentRoutes(app);
  const feed = createProgressFeed(options.producer);
  const { filesDir: folder, filesBytesMax, fileBytesMax, filesKeptMs: keptMs } = options;
  const files = createFileStore({ folder, bytesMax: filesBytesMax, fileBytesMax, keptMs });
  const batches = openBatches({ ...options, files, keptMs });
  const webhooks = openWebhooks(options);
  app.addHook('onClose', async () => {
    await Promise.all([batches.close(), webhooks.close()]);
  });
  const { spool, answerKeptMs } = options;
  const lend = createLendImage({ spool, keptMs: answerKeptMs, gatewayUrl: () => workersUrl(app, options) });
  await app.register(async (routes) => {
    const within = routes.withTypeProvider<ZodTypeProvider>();
    labelSetRoutes(within, options);
    runRoutes(within, options, webhooks);
    controlRoutes(within, options, webhooks);
    imageRoutes(within, options);
    rowRoutes(within, options);
    summaryRoutes(within, options);
    eventRoutes(within, options, feed);
    fleetRoutes(within, options);
    queueRoutes(within, options);
    metricsRoute(within, metrics);
    classifyRoutes(within, options, lend);
    embeddingRoutes(within, options, lend);
    uploadRoutes(within, options.spool);
    fileRoutes(within, files, fileBytesMax);
    batchRoutes(within, { files, ...batches });
    healthRoutes(within, options);
    schemaRoutes(within);
    await pageRoutes(within);
  });
  return app;
}
