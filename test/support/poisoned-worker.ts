// A worker of run r that dies of an image whose id says so: see poison.test.ts. Real lane, ledger and rows; a function in place of the
// pipeline.
import { appendFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { createProducer } from '../../src/producer/producer.ts';
import { createHeartbeats } from '../../src/shared/fleet/heartbeats.ts';
import { keysUnder } from '../../src/shared/redis/keys.ts';
import { connectRedis } from '../../src/shared/redis/redis.ts';
import { startHeart } from '../../src/worker/losses/startHeart.ts';
import { silent } from './heart.ts';
import { openLaneHere, prefix } from './laneInProcess.ts';

const [socket, poison, deaths] = process.argv.slice(2) as [string, string, string];
const lockMs = 1_000;
/** How long an image takes. */
const IMAGE_MS = 20;

const redis = await connectRedis({ socket });
const holder = String(process.pid);
startHeart(createHeartbeats(redis, keysUnder(prefix)), holder, lockMs, silent);
let inHand = 0;
openLaneHere(
  { redis, producer: createProducer({ redis }) },
  {
    ...{ log: silent, lockMs, holder },
    async classify({ id }) {
      inHand++;
      await delay(IMAGE_MS);
      if (id === poison) {
        appendFileSync(deaths, `${inHand - 1}\n`);
        process.kill(process.pid, 'SIGKILL');
      }
      inHand--;
      return [{ index: 1, score: 0.5 }];
    },
  },
);
process.on('disconnect', () => process.exit());
