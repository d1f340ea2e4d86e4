import type { IncomingHttpHeaders } from 'node:http';
import { ClipfleetError } from '../../shared/errors.ts';
import type { ByteRange } from '../../shared/refs/tarUri.ts';
import type { RangeRead } from '../../shared/refs/wholeRange.ts';
import type { Politely, SendRequest } from '../hosts/politeRequest.ts';
import { rangeHeader } from './byteRange.ts';
import { asFetchError } from './fetchError.ts';
import { type AddressPredicate, createGuardedAgent, type LookUpName } from './guardedAgent.ts';
import { discard, readAnswer } from './httpBody.ts';

export interface UrlOptions {
  bytesMax: number;
  timeoutMs: number;
  redirectsMax: number;
  userAgent: string;
  /** Asked for every address before and after connecting, of every hop. */
  isAllowedAddress: AddressPredicate;
  lookUpName: LookUpName;
  /** Shown to whoever is asked, as a bearer's. */
  key?: string | undefined;
  /** Through what requests go, of every hop, for the run; as soon as they may when absent. */
  politely?: Politely;
}

export interface UrlReader {
  /** The body at an http(s) URL, at most `bytesMax` bytes. The deadline is the signal's. Throws ClipfleetError. */
  read(uri: string, signal: AbortSignal, run?: string): Promise<Uint8Array>;
  /** Those of a range of at least one byte. IMAGE_HTTP_STATUS where the server reads no ranges. */
  readRange(uri: string, range: ByteRange, signal: AbortSignal, run?: string): Promise<RangeRead>;
  close(): Promise<void>;
}

export function createUrlReader(options: UrlOptions): UrlReader {
  const agent = createGuardedAgent(options.isAllowedAddress, options.timeoutMs, options.lookUpName);
  const send: SendRequest = (request) => agent.request(request);
  const { politely = (plain, work) => work(plain) } = options;
  const readRange = async (uri: string, range: ByteRange | undefined, signal: AbortSignal, run = '') => {
    try {
      const url = parseUrl(uri);
      const work = (request: SendRequest) => followRedirects(request, url, options, signal, range);
      return await politely(send, work, run);
    } catch (error) {
      signal.throwIfAborted();
      throw asFetchError(error);
    }
  };
  return {
    read: async (uri, signal, run) => (await readRange(uri, undefined, signal, run)).bytes,
    readRange,
    close: () => agent.close(),
  };
}

/** Redirects are followed here and not by undici, so that every hop is held to the same rules as the first URL. */
async function followRedirects(
  request: SendRequest,
  first: URL,
  options: UrlOptions,
  signal: AbortSignal,
  range: ByteRange | undefined,
): Promise<RangeRead> {
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
        ...(options.key !== undefined && { authorization: `Bearer ${options.key}` }),
        ...(range && { range: rangeHeader(range) }),
      },
      signal,
    });
    const read = await readAnswer(response, shown(url), options.bytesMax, range);
    if (read !== undefined) return read;
    discard(response);
    const location = locationIn(response.headers);
    const isRedirect = [301, 302, 303, 307, 308].includes(response.statusCode);
    if (!isRedirect || location === undefined) throw statusError(response.statusCode, shown(url));
    url = parseUrl(location, url);
  }
  throw new ClipfleetError(
    'IMAGE_TOO_MANY_REDIRECTS',
    `Expected at most ${options.redirectsMax} redirects, got more from ${shown(first)}.`,
  );
}

/**
 * Where a redirect leads, as browsers read it: bytes beyond ASCII stand for themselves, as if they were percent-encoded, and one
 * place said twice is that place. Undefined where none is said, or several are.
 */
function locationIn({ location }: IncomingHttpHeaders): string | undefined {
  const [first, ...others] = [location].flat();
  if (others.some((other) => other !== first)) return undefined;
  // undici gives each byte of a header as the character of its number.
  return first?.replace(/[\x80-\xff]/g, (byte) => `%${byte.charCodeAt(0).toString(16)}`);
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

export function statusError(status: number, from: string): ClipfleetError {
  const message = `Expected HTTP 200 from ${from}, got ${status}.`;
  if (status === 404 || status === 410) return new ClipfleetError('IMAGE_NOT_FOUND', message);
  if (status === 401 || status === 403) return new ClipfleetError('IMAGE_FORBIDDEN', message);
  const passes = [408, 425, 429].includes(status) || status >= 500;
  return new ClipfleetError(passes ? 'FETCH_FAILED' : 'IMAGE_HTTP_STATUS', message);
}
