import type { Redis } from 'ioredis';
import type { Logger } from '../shared/log/log.ts';
import { createHealth, type Health, LOOK_MS, type WatchedLane } from './health.ts';
import type { LoadedModel } from './model/loadModel.ts';

type Session = LoadedModel['session'];

/** A session that knows when images went well through it last. */
export interface WatchedSession extends Session {
  /** Tells each time. */
  onWell(listener: () => void): void;
}

export function watchSession(session: Session): WatchedSession {
  let tell = () => {};
  return {
    ...session,
    async embedImages(pixels, count) {
      const embeddings = await session.embedImages(pixels, count);
      tell();
      return embeddings;
    },
    onWell(listener) {
      tell = listener;
    },
  };
}

export interface WatchOptions {
  redis: Redis;
  session: WatchedSession;
  preprocessing: LoadedModel['preprocessing'];
  lanes: readonly WatchedLane[];
  log: Logger;
}

/** Looks after a worker until it ends. */
export function watchHealth(options: WatchOptions): Pick<Health, 'report' | 'died' | 'end'> {
  const { redis, session, preprocessing, lanes, log } = options;
  const { width, height } = preprocessing;
  const health = createHealth({
    ping: () => redis.ping(),
    probe: () => session.embedImages(new Uint8Array(width * height * 3), 1),
    lanes,
    log,
  });
  session.onWell(health.batchWentWell);
  let isLooking = false;
  const look = () => {
    if (isLooking) return;
    isLooking = true;
    void health.look().finally(() => {
      isLooking = false;
    });
  };
  look();
  const timer = setInterval(look, LOOK_MS).unref();
  return {
    report: health.report,
    died: health.died,
    end(why) {
      clearInterval(timer);
      health.end(why);
    },
  };
}
