import type { ChainableCommander, Redis } from 'ioredis';

/** Commands that are sent together and answered in their order. Together is not one step: others' may come in between. */
export function pipelineOn(redis: Redis): ChainableCommander {
  return redis.isCluster ? scattered(redis) : redis.pipeline();
}

/**
 * In a cluster ioredis takes only pipelines whose keys are on one node. So here each command goes to its node by itself, without waiting for
 * the others.
 */
function scattered(cluster: Redis): ChainableCommander {
  const sent: Promise<[Error | null, unknown]>[] = [];
  const commands = cluster as unknown as Record<string | symbol, (...args: unknown[]) => Promise<unknown>>;
  const chain: ChainableCommander = new Proxy({} as ChainableCommander, {
    get(_, name) {
      if (name === 'exec') return () => Promise.all(sent);
      return (...args: unknown[]) => {
        const answer = commands[name]!(...args);
        sent.push(
          answer.then(
            (reply) => [null, reply],
            (error: Error) => [error, undefined],
          ),
        );
        return chain;
      };
    },
  });
  return chain;
}

/** A pipeline's replies; its first error, if a command failed: ioredis itself reports them one by one and never rejects. */
export async function repliesOf<T>(pipeline: ChainableCommander): Promise<T[]> {
  const replies = (await pipeline.exec()) ?? [];
  for (const [error] of replies) if (error) throw error;
  return replies.map(([, reply]) => reply as T);
}
