import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { TestContext } from 'node:test';

/** A request as the server saw it. `server` is `cdn` where large files are redirected to. */
export interface SeenRequest {
  server: 'hub' | 'cdn';
  path: string;
  range: string | undefined;
  authorization: string | undefined;
  userAgent: string | undefined;
}

export interface HubServer {
  endpoint: string;
  name: string;
  commit: string;
  seen: SeenRequest[];
  /** Requests for the bytes of one file, redirects not counted. */
  seenFor: (path: string) => SeenRequest[];
  etag: (path: string) => string;
  /** Takes a file's answer over; return false to leave it to the server. */
  intercept: (request: IncomingMessage, response: ServerResponse, path: string, body: Buffer) => boolean;
  /** Every request to the hub gets this status and X-Error-Code, when set. */
  refusal: { status: number; code?: string } | undefined;
  listing: 'whole' | 'pages';
  close: () => Promise<void>;
}

/** The files of a small repository in the ONNX layout. Graphs and `.onnx_data` lie in LFS, as on the Hub. */
export function fakeRepository(): Record<string, Buffer> {
  const text = (path: string) => Buffer.from(`{"file":"${path}"}`);
  const graph = (path: string, bytes: number) => Buffer.alloc(bytes, `${path} `);
  const paths = ['config.json', 'preprocessor_config.json', 'tokenizer.json', 'tokenizer_config.json'];
  return {
    ...Object.fromEntries([...paths, 'README.md'].map((path) => [path, text(path)])),
    'onnx/vision_model.onnx': graph('vision', 300_000),
    'onnx/vision_model.onnx_data': graph('data', 40_000),
    'onnx/text_model.onnx': graph('text', 200_000),
    'onnx/vision_model_quantized.onnx': graph('vision q8', 70_000),
    'onnx/text_model_quantized.onnx': graph('text q8', 60_000),
    'onnx/model_fp16.onnx': graph('joint', 90_000),
  };
}

/**
 * A server on loopback that speaks as the Hub does: `/api/models/…/revision`, `/tree` with pages, `/resolve` with a
 * redirect to another port for files in LFS and to `/api/resolve-cache` for others, ETag, X-Linked-Etag,
 * X-Linked-Size and X-Repo-Commit, ranges. It stops when the test ends.
 */
export async function startHub(test: TestContext, files = fakeRepository()): Promise<HubServer> {
  const listing = Object.entries(files).map(([path, body]) => [path, gitHash(body)]);
  const commit = createHash('sha1').update(JSON.stringify(listing)).digest('hex');
  const isLarge = (path: string) => /^onnx\/|\.safetensors$/.test(path);
  const etag = (path: string) =>
    isLarge(path) ? createHash('sha256').update(files[path]!).digest('hex') : gitHash(files[path]!);
  const name = 'Tiny-Org/clip.tiny';
  const hub: HubServer = {
    endpoint: '',
    name,
    commit,
    seen: [],
    seenFor: (path) => hub.seen.filter((request) => request.path === `/bytes/${path}`),
    etag,
    intercept: () => false,
    refusal: undefined,
    listing: 'whole',
    close: () => stop(servers),
  };
  let cdn = '';
  const note = (server: 'hub' | 'cdn', request: IncomingMessage, path: string) =>
    hub.seen.push({
      server,
      path,
      range: request.headers.range,
      authorization: request.headers.authorization,
      userAgent: request.headers['user-agent'],
    });

  const sendBytes = (request: IncomingMessage, response: ServerResponse, path: string) => {
    const body = files[path]!;
    if (!hub.intercept(request, response, path, body)) sendRange(request, response, body, etag(path));
  };
  const answerHub = (request: IncomingMessage, response: ServerResponse) => {
    const { pathname, searchParams } = new URL(request.url ?? '/', 'http://hub');
    const path = decodeURIComponent(pathname);
    const cached = `/api/resolve-cache/models/${name}/${commit}/`;
    note('hub', request, path.startsWith(cached) ? `/bytes/${path.slice(cached.length)}` : path);
    if (hub.refusal) {
      response.writeHead(hub.refusal.status, hub.refusal.code ? { 'x-error-code': hub.refusal.code } : {});
      return void response.end();
    }
    if (path.startsWith(cached)) return sendBytes(request, response, path.slice(cached.length));
    const [, revision] = new RegExp(`^/api/models/${name}/revision/(.+)$`).exec(path) ?? [];
    if (revision !== undefined) {
      if (!['main', 'refs/pr/1', commit].includes(revision)) return refuse(response, 'RevisionNotFound');
      return sendJson(response, {
        _id: '1',
        id: name,
        sha: commit,
        lastModified: '2024-01-01T00:00:00.000Z',
      });
    }
    if (path === `/api/models/${name}/tree/${commit}`) return sendTree(response, searchParams);
    const [, file] = new RegExp(`^/${name}/resolve/${commit}/(.+)$`).exec(path) ?? [];
    if (file === undefined) return refuse(response, 'RepoNotFound');
    if (!(file in files)) return refuse(response, 'EntryNotFound');
    sendRedirect(response, file);
  };
  const sendTree = (response: ServerResponse, search: URLSearchParams) => {
    const entries = Object.keys(files).map((path) =>
      treeEntry(path, files[path]!, isLarge(path), etag(path)),
    );
    const all = [{ type: 'directory', oid: '0'.repeat(40), size: 0, path: 'onnx' }, ...entries];
    if (hub.listing === 'whole') return sendJson(response, all);
    const page = Number(search.get('cursor') ?? 0);
    const next = `<${hub.endpoint}/api/models/${name}/tree/${commit}?recursive=true&cursor=${page + 3}>; rel="next"`;
    sendJson(response, all.slice(page, page + 3), page + 3 < all.length ? { link: next } : {});
  };
  const sendRedirect = (response: ServerResponse, file: string) => {
    const shared = { 'x-repo-commit': commit, 'x-linked-size': files[file]!.length };
    if (isLarge(file)) {
      const location = `${cdn}/bytes/${file}?signature=1`;
      response.writeHead(302, { ...shared, 'x-linked-etag': `"${etag(file)}"`, location });
    } else {
      const location = `/api/resolve-cache/models/${name}/${commit}/${file}?etag=1`;
      response.writeHead(307, { ...shared, etag: `"${etag(file)}"`, location });
    }
    response.end();
  };
  const answerCdn = (request: IncomingMessage, response: ServerResponse) => {
    const { pathname } = new URL(request.url ?? '/', 'http://cdn');
    note('cdn', request, pathname);
    sendBytes(request, response, pathname.slice('/bytes/'.length));
  };
  const servers = [createServer(answerHub), createServer(answerCdn)];
  [hub.endpoint, cdn] = (await Promise.all(servers.map(listen))) as [string, string];
  test.after(() => stop(servers));
  return hub;
}

/** The whole body, or the range that is asked for, as a CDN answers. */
export function sendRange(
  request: IncomingMessage,
  response: ServerResponse,
  body: Buffer,
  etag: string,
): void {
  const [, first, last] = /^bytes=(\d+)-(\d*)$/.exec(request.headers.range ?? '') ?? [];
  if (first === undefined) {
    response.writeHead(200, { etag: `"${etag}"`, 'content-length': body.length });
    return void response.end(body);
  }
  const end = Math.min(last ? Number(last) + 1 : body.length, body.length);
  if (Number(first) >= end) {
    response.writeHead(416, { 'content-range': `bytes */${body.length}` });
    return void response.end();
  }
  const part = body.subarray(Number(first), end);
  response.writeHead(206, {
    'content-range': `bytes ${first}-${end - 1}/${body.length}`,
    'content-length': part.length,
  });
  response.end(part);
}

/** Sends the headers of the whole and only its first bytes, and leaves the connection open. */
export function sendPart(response: ServerResponse, body: Buffer, bytes: number): void {
  response.writeHead(200, { 'content-length': body.length }).write(body.subarray(0, bytes));
}

function gitHash(body: Buffer): string {
  return createHash('sha1').update(`blob ${body.length}\0`).update(body).digest('hex');
}

/** A file in LFS: its oid is the pointer's, which is not the file's hash. */
function treeEntry(path: string, body: Buffer, large: boolean, etag: string) {
  const entry = { type: 'file', path, size: body.length };
  if (!large) return { ...entry, oid: etag };
  return { ...entry, oid: '1'.repeat(40), lfs: { oid: etag, size: body.length, pointerSize: 130 } };
}

function sendJson(response: ServerResponse, value: unknown, headers: Record<string, string> = {}): void {
  response.writeHead(200, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(value));
}

function refuse(response: ServerResponse, code: string): void {
  response.writeHead(404, { 'x-error-code': code }).end();
}

async function listen(server: Server): Promise<string> {
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

async function stop(servers: Server[]): Promise<void> {
  for (const server of servers) server.closeAllConnections();
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
}
