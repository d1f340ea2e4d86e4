import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdir, rm, stat, truncate } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { connect, createServer } from 'node:net';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { Redis } from 'ioredis';
import { findRedisServer } from '../../src/shared/redis/redisBinary.ts';
import { temporaryFolder, until } from './support.ts';

/** A Redis server on a port of its own that a test may take away and bring back, with all its data. */
export interface RedisServer {
  port: number;
  url: string;
  /** Ends it, so that connections are refused. */
  stop(): Promise<void>;
  start(): Promise<void>;
  /** The length of its log of commands. */
  logBytes(): Promise<number>;
  /** A crash that loses the log from there on: kills the server, cuts the log and starts it again. */
  loseFrom(logBytes: number): Promise<void>;
  /** Kills it, and starts it again with nothing. */
  loseAll(): Promise<void>;
  /** One command, on a connection of its own. */
  ask(...words: [string, ...string[]]): Promise<unknown>;
}

export async function startRedisServer(t: TestContext, settings: string[] = []): Promise<RedisServer> {
  const folder = await temporaryFolder(t);
  const port = await freePort();
  const durable = ['--appendonly', 'yes', '--appendfsync', 'always', '--save', '', '--dir', folder];
  let child: ChildProcess;
  const log = async () => {
    const names = (await readdir(join(folder, 'appendonlydir'))).filter((name) => name.endsWith('.incr.aof'));
    return join(folder, 'appendonlydir', names.sort().at(-1)!);
  };
  const server: RedisServer = {
    port,
    url: `redis://127.0.0.1:${port}`,
    async start() {
      const place = ['--port', `${port}`, '--bind', '127.0.0.1', '--maxmemory-policy', 'noeviction'];
      child = spawn(findRedisServer()!, [...place, ...durable, ...settings], { stdio: 'ignore' });
      await until(() => answers(port), 'the server answers');
    },
    async stop() {
      const exited = once(child, 'exit');
      child.kill('SIGKILL');
      await exited;
    },
    logBytes: async () => (await stat(await log())).size,
    async loseFrom(logBytes) {
      await server.stop();
      await truncate(await log(), logBytes);
      await server.start();
    },
    async loseAll() {
      await server.stop();
      await rm(join(folder, 'appendonlydir'), { recursive: true });
      await server.start();
    },
    async ask(...words) {
      const redis = new Redis(port, '127.0.0.1', { lazyConnect: true, retryStrategy: () => null });
      redis.on('error', () => {});
      try {
        await redis.connect();
        return await redis.call(...words);
      } finally {
        redis.disconnect();
      }
    },
  };
  await server.start();
  t.after(() => child.kill('SIGKILL'));
  return server;
}

export async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const { port } = probe.address() as AddressInfo;
  probe.close();
  await once(probe, 'close');
  return port;
}

function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => socket.write('PING\r\n'));
    socket.once('data', (data) => resolve(String(data).startsWith('+PONG')));
    socket.once('error', () => resolve(false));
    socket.once('close', () => resolve(false));
    socket.setTimeout(1_000, () => socket.destroy());
  });
}
