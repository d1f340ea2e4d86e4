// A worker's text side that takes the lease of a label set's matrix, says that it encodes, and never comes to an end.

import { keysUnder } from '../../src/shared/redis/keys.ts';
import { connectRedis } from '../../src/shared/redis/redis.ts';
import { createLabelMatrices } from '../../src/worker/labels/labelMatrices.ts';

const [socket, fingerprint = '', labelSet = '', leaseMs] = process.argv.slice(2);
const redis = await connectRedis({ socket });
const matrices = createLabelMatrices({
  redis,
  keys: keysUnder('clipfleet'),
  fingerprint,
  leaseMs: Number(leaseMs),
  embedTexts() {
    process.send?.('encoding');
    return new Promise(() => {});
  },
});
process.on('disconnect', () => process.exit());
await matrices.get(labelSet);
