import type { Redis } from 'ioredis';
import type { Producer } from '../../producer/producer.ts';
import type { Logger } from '../../shared/log/log.ts';
import { keysUnder } from '../../shared/redis/keys.ts';
import type { FileStore } from '../files/fileStore.ts';
import type { BatchEndpoint } from './batchEndpoint.ts';
import { createBatchRecords } from './batchRecord.ts';
import { startBatchRunner } from './batchRunner.ts';
import { classifyLines } from './classifyLines.ts';
import { embedLines } from './embedLines.ts';

export interface BatchesOptions {
  redis: Redis;
  prefix: string;
  producer: Producer;
  files: FileStore;
  /** How long a batch is known. */
  keptMs: number;
  log: Logger;
}

/** The batches of a Redis, and what carries them here. */
export function openBatches({ redis, prefix, producer, files, keptMs, log }: BatchesOptions) {
  const keys = keysUnder(prefix);
  const records = createBatchRecords(redis, keys, keptMs);
  const { store } = producer;
  const endpoints = new Map<string, BatchEndpoint>([
    ['/v1/classify', classifyLines(store)],
    ['/v1/embeddings', embedLines({ redis, keys, store })],
  ]);
  const runner = startBatchRunner({ redis, keys, producer, records, files, endpoints, log });
  return { records, look: runner.look, close: runner.close };
}
