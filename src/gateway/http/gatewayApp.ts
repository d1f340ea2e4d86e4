import type { IncomingMessage, ServerResponse } from 'node:http';
import type { FastifyBaseLogger, FastifyInstance, RawServerDefault } from 'fastify';
import type { ZodTypeProvider } from 'fastify-type-provider-zod';
import type { Redis } from 'ioredis';
import type { Producer } from '../../producer/producer.ts';
import type { Logger } from '../../shared/log/log.ts';
import type { ApiKeys } from '../keys/apiKeys.ts';
import type { Spool } from '../uploads/spool.ts';
import type { WebhookSender } from '../webhooks/startWebhooks.ts';

export interface GatewayOptions {
  producer: Producer;
  redis: Redis;
  /** First part of every key in Redis. */
  prefix: string;
  log: Logger;
  /** Who may ask for what; undefined where the gateway listens on loopback alone. */
  keys: ApiKeys | undefined;
  /** Without keys: names besides loopback that may be asked for. */
  trustedHosts?: readonly string[];
  /** Other sites whose pages may read answers. */
  corsOrigin: readonly string[] | undefined;
  /** Largest body of a request that is not streamed, in bytes. */
  bodyBytesMax: number;
  /** Requests of one key or address in a minute, over all gateways on the Redis. */
  requestsPerMinute: number;
  /** Images that may wait in a model's interactive lane before `classify` answers 429. */
  waitingMax: number;
  /** How long `classify` waits for an answer. */
  answerTimeoutMs: number;
  /** How long Redis keeps the run and the row of one. */
  answerKeptMs: number;
  /** What tells the ends of runs; undefined where the gateway has no secret to sign with. */
  webhooks: WebhookSender | undefined;
  /** Folder of the files of batches. */
  filesDir: string;
  /** Most bytes of all of them, and of one. */
  filesBytesMax: number;
  fileBytesMax: number;
  /** How long files and batches stay. */
  filesKeptMs: number;
  /** Where uploaded images wait. */
  spool: Spool;
  /** Address at which workers reach the gateway; where it listens when undefined. */
  gateway: string | undefined;
}

/** The HTTP server, whose routes have zod schemas. */
export type GatewayApp = FastifyInstance<
  RawServerDefault,
  IncomingMessage,
  ServerResponse,
  FastifyBaseLogger,
  ZodTypeProvider
>;
