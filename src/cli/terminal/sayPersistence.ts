import type { Redis } from 'ioredis';
import { persistenceWarning, readPersistence } from '../../shared/redis/persistence.ts';
import { say } from './screen.ts';

/** Says on standard error what this Redis may lose, and what to do about it: whoever adds images should know before. */
export async function sayPersistence(redis: Redis): Promise<void> {
  const warning = persistenceWarning(await readPersistence(redis));
  if (warning !== undefined) say(`Warning: ${warning}`);
}
