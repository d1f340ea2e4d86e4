import type { ChainableCommander } from 'ioredis';

/** A pipeline's replies; its first error, if a command failed: ioredis itself reports them one by one and never rejects. */
export async function repliesOf<T>(pipeline: ChainableCommander): Promise<T[]> {
  const replies = (await pipeline.exec()) ?? [];
  for (const [error] of replies) if (error) throw error;
  return replies.map(([, reply]) => reply as T);
}
