// Makes this machine ready to run and test Clipfleet: says what is missing, and installs a Redis server.
// With --all it also brings what the wider tests need.
import { parseArgs } from 'node:util';
import { findRedisServer, redisRemedy } from '../src/shared/redis/redisBinary.ts';
import { openPackageManager, say } from './packageManager.ts';
import { prepareWiderTests } from './widerSetup.ts';

const oldestNode = [20, 9] as const;

const { values } = parseArgs({ options: { all: { type: 'boolean' } } });
const fault = prepare() ?? (values.all ? prepareWiderTests() : undefined);
if (fault) {
  say(fault);
  process.exitCode = 1;
}

/** Does what is missing; returns a sentence about what it could not do. */
function prepare(): string | undefined {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  if (major < oldestNode[0] || (major === oldestNode[0] && minor < oldestNode[1])) {
    return `Expected Node.js ${oldestNode.join('.')} or newer, got ${process.versions.node}: upgrade it.`;
  }
  if (process.env.REDIS_URL || findRedisServer()) return undefined;
  say('Clipfleet runs its queue on a Redis server, and none is on PATH.');
  return installRedis() ? undefined : `Redis could not be installed here: ${redisRemedy}.`;
}

/** Returns whether there is a server now. */
function installRedis(): boolean {
  const manager = openPackageManager();
  if (!manager) return false;
  manager.refresh();
  for (const name of manager.redis) {
    manager.install([name]);
    if (!findRedisServer()) continue;
    say('Installed. If the package started a service on port 6379: Clipfleet does not use it.');
    return true;
  }
  return false;
}
