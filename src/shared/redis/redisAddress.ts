import { ClipfleetError } from '../errors.ts';

export interface RedisAddress {
  /**
   * `redis://HOST`, `rediss://HOST`, `unix:///PATH`; `redis+sentinel://HOST:PORT,HOST:PORT/NAME` for the primary that the sentinels
   * know by that name; `redis+cluster://HOST:PORT,HOST:PORT` for a cluster that some of these nodes are of.
   */
  url?: string | undefined;
  /** The path of a Unix socket, instead of a URL. */
  socket?: string | undefined;
  /** Where the sentinels themselves ask for one. */
  sentinelPassword?: string | undefined;
}

/** Hosts with their ports. */
export type Endpoint = { host: string; port: number };

interface Login {
  username: string | undefined;
  password: string | undefined;
  tls: boolean;
}

/** What an address leads to. */
export type RedisTarget =
  | { kind: 'socket'; path: string }
  | { kind: 'server'; url: string }
  | ({ kind: 'sentinel'; sentinels: Endpoint[]; name: string; db: number } & Login)
  | ({ kind: 'cluster'; nodes: Endpoint[] } & Login);

const several = /^redis(s?)\+(sentinel|cluster):\/\/(?:([^@/?#]*)@)?([^@/?#]+)(?:\/([^@/?#]*))?(?:\/(\d+))?$/;
const [REDIS_PORT, SENTINEL_PORT] = [6379, 26379];

/**
 * Reads an address.
 *
 * @throws USAGE where the URL does not say what its writer meant, and no word of it, because a part of the password would be taken for
 * something else
 */
export function targetOf({ url = '', socket }: RedisAddress): RedisTarget {
  if (socket !== undefined) return { kind: 'socket', path: socket };
  // ioredis knows no `unix:` URL; Redis clients of other languages do.
  if (url.startsWith('unix:///')) return { kind: 'socket', path: decodeURIComponent(new URL(url).pathname) };
  if (/^rediss?\+/.test(url)) return severalOf(url);
  const parsed = URL.canParse(url) ? new URL(url) : undefined;
  if (parsed && !/[@#]/.test(parsed.pathname + parsed.search + parsed.hash) && isDecodable(parsed.password)) {
    if (/^\/?\d*$/.test(parsed.pathname)) return { kind: 'server', url };
    throw usage('the number of a database after the host in REDIS_URL, as in redis://HOST:6379/2.');
  }
  throw usage(
    `REDIS_URL as redis://HOST:PORT/DATABASE, with USER:PASSWORD@ before HOST, got a text that is none. ${ENCODING}`,
  );
}

const ENCODING =
  'Write special characters of the password percent-encoded: %40 for @, %2F for /, %23 for #, %3F for ?, %25 for %.';

function severalOf(url: string): RedisTarget {
  const [, s, kind, user = '', hosts = '', name = '', db] = several.exec(url) ?? [];
  const [username, ...rest] = user.split(':');
  const password = rest.join(':');
  const isSentinel = kind === 'sentinel';
  const endpoints = hosts.split(',').map((host) => endpointOf(host, isSentinel ? SENTINEL_PORT : REDIS_PORT));
  const isRead = endpoints.every((each) => each !== undefined) && [user, name].every(isDecodable);
  if (kind === undefined || !isRead || (isSentinel ? name === '' : name !== '' || db !== undefined)) {
    throw usage(
      'REDIS_URL as redis+sentinel://HOST:PORT,HOST:PORT/NAME/DATABASE or redis+cluster://HOST:PORT,HOST:PORT, with USER:PASSWORD@ ' +
        `before the first HOST, got a text that is neither. A cluster has no databases. ${ENCODING}`,
    );
  }
  const login = {
    username: username ? decodeURIComponent(username) : undefined,
    password: password ? decodeURIComponent(password) : undefined,
    tls: s === 's',
  };
  const all = endpoints as Endpoint[];
  if (!isSentinel) return { kind: 'cluster', nodes: all, ...login };
  return { kind: 'sentinel', sentinels: all, name: decodeURIComponent(name), db: Number(db ?? 0), ...login };
}

/** IPv6 stands in brackets. */
function endpointOf(text: string, otherwise: number): Endpoint | undefined {
  const [, bracketed, plain, port] = /^(?:\[([^\]]+)\]|([^:[\]]+))(?::(\d{1,5}))?$/.exec(text) ?? [];
  const host = bracketed ?? plain;
  return host === undefined ? undefined : { host, port: port === undefined ? otherwise : Number(port) };
}

function isDecodable(text: string): boolean {
  try {
    decodeURIComponent(text);
    return true;
  } catch {
    return false;
  }
}

/** The address without its password. */
export function displayAddress({ url = '', socket }: RedisAddress): string {
  return socket ?? url.replace(/^([^/]*\/\/[^/:@]*):[^@]*@/, '$1:***@').replace(/\?.*/, '');
}

function usage(expected: string): ClipfleetError {
  return new ClipfleetError('USAGE', `Expected ${expected}`);
}
