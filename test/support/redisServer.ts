import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { connect, createServer } from 'node:net';
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
  /** One command, on a connection of its own. */
  ask(...words: [string, ...string[]]): Promise<unknown>;
}

export async function startRedisServer(t: TestContext): Promise<RedisServer> {
  const folder = await temporaryFolder(t);
  const port = await freePort();
  const durable = ['--appendonly', 'yes', '--appendfsync', 'always', '--save', '', '--dir', folder];
  let child: ChildProcess;
  const server: RedisServer = {
    port,
    url: `redis://127.0.0.1:${port}`,
    async start() {
      const place = ['--port', `${port}`, '--bind', '127.0.0.1', '--maxmemory-policy', 'noeviction'];
      child = spawn(findRedisServer()!, [...place, ...durable], { stdio: 'ignore' });
      await until(() => answers(port), 'the server answers');
    },
    async stop() {
      const exited = once(child, 'exit');
      child.kill('SIGKILL');
      await exited;
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

async function freePort(): Promise<number> {
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
