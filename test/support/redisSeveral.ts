// Redis of several servers on the loopback: a primary with a replica under three sentinels, and a cluster of three nodes.
import { spawn } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { findRedisServer } from '../../src/shared/redis/redisBinary.ts';
import { freePort, type RedisServer, startRedisServer } from './redisServer.ts';
import { temporaryFolder, until } from './support.ts';

const SENTINELS = 3;
/** A server that is silent for so long is down, for a sentinel. */
const DOWN_MS = 1_000;

export interface SentinelFleet {
  /** `redis+sentinel://...` of all sentinels. */
  url: string;
  servers: [RedisServer, RedisServer];
  /** The server that is the primary, by the sentinels' word. */
  primary(): Promise<RedisServer>;
}

/** @param settings of both servers */
export async function startSentinels(t: TestContext, settings: string[] = []): Promise<SentinelFleet> {
  const servers: [RedisServer, RedisServer] = [
    await startRedisServer(t, settings),
    await startRedisServer(t, settings),
  ];
  const [first, second] = servers;
  await second.ask('REPLICAOF', '127.0.0.1', `${first.port}`);
  const isInStep = async () => /master_link_status:up/.test(String(await second.ask('INFO', 'replication')));
  await until(isInStep, 'the second server follows the first');
  const folder = await temporaryFolder(t);
  const ports: number[] = [];
  for (let i = 0; i < SENTINELS; i++) {
    const port = await freePort();
    const lines = [
      `port ${port}\nbind 127.0.0.1\ndir ${folder}`,
      `sentinel monitor fleet 127.0.0.1 ${first.port} 2`,
      `sentinel down-after-milliseconds fleet ${DOWN_MS}\nsentinel failover-timeout fleet 3000`,
    ];
    const file = join(folder, `sentinel-${i}.conf`);
    await writeFile(file, `${lines.join('\n')}\n`);
    const child = spawn(findRedisServer()!, [file, '--sentinel'], { stdio: 'ignore' });
    t.after(() => child.kill('SIGKILL'));
    ports.push(port);
  }
  const ask = async (port: number, ...words: [string, ...string[]]) => {
    const { Redis } = await import('ioredis');
    const redis = new Redis(port, '127.0.0.1', { lazyConnect: true, retryStrategy: () => null });
    redis.on('error', () => {});
    try {
      await redis.connect();
      return await redis.call(...words);
    } catch {
      return undefined;
    } finally {
      redis.disconnect();
    }
  };
  const knowsAll = async (port: number) => {
    const fields = ((await ask(port, 'SENTINEL', 'MASTER', 'fleet')) ?? []) as string[];
    const number = (name: string) => Number(fields[fields.indexOf(name) + 1]);
    return number('num-slaves') === 1 && number('num-other-sentinels') === SENTINELS - 1;
  };
  for (const port of ports)
    await until(() => knowsAll(port), 'the sentinels know each other and the replica');
  return {
    url: `redis+sentinel://${ports.map((port) => `127.0.0.1:${port}`).join(',')}/fleet`,
    servers,
    async primary() {
      const [, port] = (await ask(ports[0]!, 'SENTINEL', 'GET-MASTER-ADDR-BY-NAME', 'fleet')) as string[];
      return servers.find((server) => `${server.port}` === port)!;
    },
  };
}

export interface ClusterFleet {
  /** `redis+cluster://...` of all nodes. */
  url: string;
  nodes: RedisServer[];
}

const SLOTS = 16_384;
const NODES = 3;

export async function startCluster(t: TestContext, settings: string[] = []): Promise<ClusterFleet> {
  const nodes: RedisServer[] = [];
  for (let i = 0; i < NODES; i++) {
    // Where none is named the bus takes the port 10,000 above, which there may not be.
    const bus = ['--cluster-port', `${await freePort()}`, '--cluster-node-timeout', '2000'];
    nodes.push(await startRedisServer(t, ['--cluster-enabled', 'yes', ...bus, ...settings]));
  }
  for (const [i, node] of nodes.entries()) {
    const [from, to] = [Math.floor((i * SLOTS) / NODES), Math.floor(((i + 1) * SLOTS) / NODES) - 1];
    await node.ask('CLUSTER', 'ADDSLOTSRANGE', `${from}`, `${to}`);
    // Nodes of one epoch would have to agree on another first.
    await node.ask('CLUSTER', 'SET-CONFIG-EPOCH', `${i + 1}`);
    if (i > 0) await node.ask('CLUSTER', 'MEET', '127.0.0.1', `${nodes[0]!.port}`, await busOf(nodes[0]!));
  }
  for (const node of nodes) await until(() => isWhole(node), 'the cluster is whole');
  return { url: `redis+cluster://${nodes.map(({ port }) => `127.0.0.1:${port}`).join(',')}`, nodes };
}

async function busOf(node: RedisServer): Promise<string> {
  const [, port] = (await node.ask('CONFIG', 'GET', 'cluster-port')) as string[];
  return port!;
}

export async function isWhole(node: RedisServer): Promise<boolean> {
  const said = String(await node.ask('CLUSTER', 'INFO').catch(() => ''));
  return /cluster_state:ok/.test(said) && said.includes(`cluster_size:${NODES}`);
}
