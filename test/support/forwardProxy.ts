import { createServer, request as sendRequest } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import type { TestContext } from 'node:test';

/** A web proxy on the loopback, which alone knows where the names of a test lie. */
export interface ForwardProxy {
  url: string;
  /** Host and port as a URL has them, then `http://127.0.0.1:PORT` of what answers there. */
  places: Record<string, string>;
  /** What it was asked: `GET URL` or `CONNECT HOST:PORT`. */
  requests: string[];
  /** What `Proxy-Authorization` must be; anything when absent. */
  authorization?: string;
}

export async function startProxy(t: TestContext): Promise<ForwardProxy> {
  const proxy: ForwardProxy = { url: '', places: {}, requests: [] };
  const sockets = new Set<Socket>();
  const isWelcome = (given: string | undefined) =>
    proxy.authorization === undefined || proxy.authorization === given;

  const server = createServer((request, response) => {
    proxy.requests.push(`${request.method} ${request.url}`);
    if (!isWelcome(request.headers['proxy-authorization'])) return void response.writeHead(407).end();
    const url = new URL(request.url!);
    const place = proxy.places[url.host];
    if (place === undefined) return void response.writeHead(502).end();
    const { 'proxy-authorization': _, ...headers } = request.headers;
    const onward = sendRequest(place + url.pathname + url.search, { headers }, (answer) => {
      response.writeHead(answer.statusCode!, answer.rawHeaders);
      answer.pipe(response);
    });
    onward.end();
  });
  server.on('connect', (request, socket: Socket) => {
    proxy.requests.push(`CONNECT ${request.url}`);
    sockets.add(socket);
    const place = proxy.places[request.url!];
    if (!isWelcome(request.headers['proxy-authorization'])) return void socket.end('HTTP/1.1 407 no\r\n\r\n');
    if (place === undefined) return void socket.end('HTTP/1.1 502 no\r\n\r\n');
    const onward = connect(Number(new URL(place).port), '127.0.0.1', () => {
      socket.write('HTTP/1.1 200 yes\r\n\r\n');
      socket.pipe(onward).pipe(socket);
    });
    sockets.add(onward);
    for (const end of [socket, onward]) end.on('error', () => {});
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => {
    for (const socket of sockets) socket.destroy();
    server.closeAllConnections();
    server.close();
  });
  proxy.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return proxy;
}
