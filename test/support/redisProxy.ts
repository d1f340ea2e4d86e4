import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import type { TestContext } from 'node:test';

/** A TCP endpoint before Redis, which the network may do to its clients what it does. */
export interface RedisProxy {
  url: string;
  /** New connections lead to this port. */
  leadTo(port: number): void;
  /** From now on nothing that is sent on the connections there are arrives, nor on new ones; they stay open. */
  swallow(): void;
  /** New connections work again; those that were swallowed stay as they are. */
  letThrough(): void;
  /** New connections are closed at once. */
  refuse(): void;
}

export async function startRedisProxy(t: TestContext, port: number): Promise<RedisProxy> {
  let target = port;
  let mode: 'through' | 'swallow' | 'refuse' = 'through';
  const sockets = new Set<Socket>();
  const swallowing: (() => void)[] = [];
  const keep = (socket: Socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    socket.on('close', () => sockets.delete(socket));
  };
  const server = createServer((client) => {
    keep(client);
    if (mode === 'refuse') return client.destroy();
    if (mode === 'swallow') return client.resume();
    const upstream = connect(target, '127.0.0.1');
    keep(upstream);
    client.pipe(upstream).pipe(client);
    upstream.on('close', () => client.destroy());
    client.on('close', () => upstream.destroy());
    swallowing.push(() => {
      client.unpipe();
      upstream.unpipe();
      client.resume();
      upstream.resume();
    });
    return undefined;
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return {
    url: `redis://127.0.0.1:${(server.address() as AddressInfo).port}`,
    leadTo(next) {
      target = next;
    },
    swallow() {
      mode = 'swallow';
      for (const swallow of swallowing.splice(0)) swallow();
    },
    letThrough() {
      mode = 'through';
    },
    refuse() {
      mode = 'refuse';
    },
  };
}
