import type { Redis } from 'ioredis';
import type { Producer } from '../../producer/producer.ts';
import type { Logger } from '../../shared/log/log.ts';
import type { Keys } from '../../shared/redis/keys.ts';
import type { FileStore } from '../files/fileStore.ts';
import type { BatchEndpoint } from './batchEndpoint.ts';
import type { BatchRecords } from './batchRecord.ts';

/** What batches are carried with. */
export interface BatchContext {
  redis: Redis;
  keys: Keys;
  producer: Producer;
  records: BatchRecords;
  files: FileStore;
  /** What lines may ask for, by the path of the route. */
  endpoints: ReadonlyMap<string, BatchEndpoint>;
  log: Logger;
}
