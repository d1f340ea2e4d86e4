// A command that holds a share in the local Redis and does what its parent says: see holder.ts.
import { leaseLocalRedis } from '../../src/shared/redis/localRedis.ts';

const redis = await leaseLocalRedis({ dataDir: process.argv[2] ?? '' });
process.on('disconnect', () => process.exit());
process.on('SIGINT', () => process.send?.('interrupted'));
process.on('message', async (word) => {
  if (word === 'ensure') await redis.ensure();
  if (word === 'release') await redis.release();
  process.send?.(`${word} done`);
});
process.send?.(redis.socket);
