import type { Dispatcher } from 'undici';
import { ClipfleetError } from '../shared/errors.ts';
import { type AddressPredicate, createGuardedAgent } from './guardedAgent.ts';
import type { Politely, SendRequest } from './politeRequest.ts';

export interface UrlOptions {
  bytesMax: number;
  timeoutMs: number;
  redirectsMax: number;
  userAgent: string;
  /** Asked for every address before and after connecting, of every hop. */
  isAllowedAddress: AddressPredicate;
  /** Through what requests go, of every hop; as soon as they may when absent. */
  politely?: Politely;
}

export interface UrlReader {
  /** The body at an http(s) URL, at most `bytesMax` bytes. The deadline is the signal's. Throws ClipfleetError. */
  read(uri: string, signal: AbortSignal): Promise<Uint8Array>;
  close(): Promise<void>;
}

export function createUrlReader(options: UrlOptions): UrlReader {
  const agent = createGuardedAgent(options.isAllowedAddress, options.timeoutMs);
  const send: SendRequest = (request) => agent.request(request);
  const { politely = (plain, work) => work(plain) } = options;
  return {
    async read(uri, signal) {
      try {
        const url = parseUrl(uri);
        return await politely(send, (request) => followRedirects(request, url, options, signal));
      } catch (error) {
        signal.throwIfAborted();
        throw asFetchError(error);
      }
    },
    close: () => agent.close(),
  };
}

/** Redirects are followed here and not by undici, so that every hop is held to the same rules as the first URL. */
async function followRedirects(
  request: SendRequest,
  first: URL,
  options: UrlOptions,
  signal: AbortSignal,
): Promise<Uint8Array> {
  let url = first;
  for (let redirects = 0; redirects <= options.redirectsMax; redirects++) {
    const response = await request({
      origin: url.origin,
      path: url.pathname + url.search,
      method: 'GET',
      headers: {
        'user-agent': options.userAgent,
        accept: 'image/*,*/*;q=0.8',
        'accept-encoding': 'identity',
      },
      signal,
    });
    if (response.statusCode >= 200 && response.statusCode < 300)
      return readBody(response, url, options.bytesMax);
    discard(response);
    const location = response.headers.location;
    const isRedirect = [301, 302, 303, 307, 308].includes(response.statusCode);
    if (!isRedirect || typeof location !== 'string') throw statusError(response.statusCode, url);
    url = parseUrl(location, url);
  }
  throw new ClipfleetError(
    'IMAGE_TOO_MANY_REDIRECTS',
    `Expected at most ${options.redirectsMax} redirects, got more from ${shown(first)}.`,
  );
}

async function readBody(response: Dispatcher.ResponseData, url: URL, bytesMax: number): Promise<Uint8Array> {
  const encoding = response.headers['content-encoding'] ?? 'identity';
  if (encoding !== 'identity') {
    discard(response);
    throw new ClipfleetError(
      'IMAGE_UNSUPPORTED',
      `Expected the plain bytes of ${shown(url)}, got them with content-encoding ${String(encoding).slice(0, 40)}.`,
    );
  }
  const announced = Number(response.headers['content-length'] ?? 0);
  const chunks: Uint8Array[] = [];
  let byteCount = 0;
  try {
    if (announced > bytesMax) throw tooLarge(url, announced, bytesMax);
    for await (const chunk of response.body as AsyncIterable<Uint8Array>) {
      byteCount += chunk.length;
      if (byteCount > bytesMax) throw tooLarge(url, byteCount, bytesMax);
      chunks.push(chunk);
    }
  } finally {
    discard(response);
  }
  return Buffer.concat(chunks, byteCount);
}

/** Ends a body that nobody reads, with its connection if there is more to come: a slow error page must hold nothing. */
function discard(response: Dispatcher.ResponseData): void {
  response.body.on('error', () => {}).destroy();
}

function parseUrl(text: string, base?: URL): URL {
  const url = URL.canParse(text, base?.href) ? new URL(text, base?.href) : undefined;
  const from = base === undefined ? '' : ` as a redirect from ${shown(base)}`;
  const expected = (actual: string) =>
    new ClipfleetError('IMAGE_URI_INVALID', `Expected an http: or https: URL${from}, got ${actual}.`);
  if (url === undefined) throw expected('one that cannot be parsed');
  if (url.protocol !== 'http:' && url.protocol !== 'https:')
    throw expected(`a ${url.protocol.slice(0, 32)} URL`);
  // A uri is stored, listed and logged: a password in it would be everywhere.
  if (url.username !== '' || url.password !== '') {
    throw expected(`one with a user name or password (host ${url.host}); use a signed URL or a file`);
  }
  return url;
}

/** A URL for messages: without the query, which may hold a signature. */
function shown(url: URL): string {
  const text = url.origin + url.pathname;
  return (text.length > 200 ? `${text.slice(0, 200)}…` : text) + (url.search === '' ? '' : '?…');
}

function statusError(status: number, url: URL): ClipfleetError {
  const message = `Expected HTTP 200 from ${shown(url)}, got ${status}.`;
  if (status === 404 || status === 410) return new ClipfleetError('IMAGE_NOT_FOUND', message);
  if (status === 401 || status === 403) return new ClipfleetError('IMAGE_FORBIDDEN', message);
  const passes = [408, 425, 429].includes(status) || status >= 500;
  return new ClipfleetError(passes ? 'FETCH_FAILED' : 'IMAGE_HTTP_STATUS', message);
}

function tooLarge(url: URL, byteCount: number, bytesMax: number): ClipfleetError {
  return new ClipfleetError(
    'IMAGE_TOO_LARGE',
    `Expected at most ${bytesMax} bytes from ${shown(url)}, got ${byteCount} or more; allow more bytes.`,
  );
}

const timeoutCodes = [
  'UND_ERR_CONNECT_TIMEOUT',
  'UND_ERR_HEADERS_TIMEOUT',
  'UND_ERR_BODY_TIMEOUT',
  'ETIMEDOUT',
];

function asFetchError(error: unknown): ClipfleetError {
  if (error instanceof ClipfleetError) return error;
  const { code = '', message = String(error) } = error as NodeJS.ErrnoException;
  // Connecting to several addresses fails with an AggregateError whose message is empty: the code says it.
  const why = [code, message].filter((part) => part !== '').join(': ');
  const failed = timeoutCodes.includes(code) ? 'FETCH_TIMEOUT' : 'FETCH_FAILED';
  return new ClipfleetError(failed, `Expected an image over HTTP, but the connection failed (${why}).`, {
    cause: error,
  });
}
