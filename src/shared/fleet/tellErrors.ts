import { LRUCache } from 'lru-cache';

/** Told of errors that no call throws, such as those of a connection that is made anew. */
export type OnError = (error: Error) => void;

const AGAIN_AFTER_MS = 60_000;
const KINDS_MAX = 100;

/** Tells of an error of each kind at once, and then at most once a minute: a server that is away fails as often as it is asked. */
export function tellOncePerKind(onError: OnError = warn): OnError {
  const told = new LRUCache<string, true>({ max: KINDS_MAX, ttl: AGAIN_AFTER_MS });
  return (error) => {
    const kind = (error as { code?: string }).code ?? error.message.replace(/\d+/g, '#');
    if (told.has(kind)) return;
    told.set(kind, true);
    onError(error);
  };
}

function warn({ message }: Error): void {
  process.emitWarning(`Redis connection: ${message}`, { code: 'REDIS_CONNECTION' });
}
