import { ADDRCONFIG, type LookupAddress } from 'node:dns';
import { lookup as systemLookup } from 'node:dns/promises';
import { isIP, type LookupFunction } from 'node:net';
import ipaddr from 'ipaddr.js';
import { buildConnector, type Dispatcher, EnvHttpProxyAgent } from 'undici';
import { ClipfleetError } from '../../shared/errors.ts';
import { proxiesOf } from '../../shared/proxies.ts';
import { asConnectError } from './fetchError.ts';

export type AddressPredicate = (address: string) => boolean;

/** The addresses of a name. */
export type LookUpName = (name: string) => Promise<LookupAddress[]>;

/** The system's own, in this process: for programs that read a few names, and not those of a list of images. */
export const lookUpHere: LookUpName = (name) =>
  systemLookup(name, { all: true, hints: process.platform === 'win32' ? 0 : ADDRCONFIG });
/** Of Azure's host, at which each of its virtual machines reads its own settings: public by its number alone. */
const AZURE_HOST = '168.63.129.16';

/**
 * Whether an address is one of the public internet: no loopback, private, link-local (cloud metadata), shared, mapped,
 * translated or reserved one. IPv4 inside IPv6 counts as the IPv4 it is. What cannot be read is not public.
 */
export function isPublicAddress(address: string): boolean {
  try {
    const parsed = ipaddr.process(address);
    // Of IPv6 only 2000::/3 is given out (RFC 4291); the rest holds old forms that lead to IPv4, such as ::127.0.0.1.
    if (parsed instanceof ipaddr.IPv6 && parsed.parts[0]! >> 13 !== 1) return false;
    return parsed.range() === 'unicast' && parsed.toString() !== AZURE_HOST;
  } catch {
    return false;
  }
}

/** A host that has not taken a connection by then is not there, and its image's deadline is for its bytes. */
const CONNECT_MS = 10_000;

/**
 * What sends requests, to addresses that `isAllowed` accepts. They are checked three times: an address written in the URL (no
 * look-up happens for it), the answers of the look-up (so that not even a SYN goes to a private address), and the peer of the
 * socket (whatever came between). Requests that are refused fail with IMAGE_ADDRESS_BLOCKED.
 *
 * Through a proxy of the environment only the first check is made here: what a name leads to is the proxy's word, and where the
 * proxy is, the operator's. `http:` URLs are asked for in full there, because many a proxy tunnels to port 443 alone.
 *
 * Throws USAGE for a proxy's address that is none.
 */
export function createGuardedAgent(
  isAllowed: AddressPredicate,
  timeoutMs: number,
  lookUpName: LookUpName,
): Dispatcher {
  const timeout = Math.min(timeoutMs, CONNECT_MS);
  const connectTo = buildConnector({
    timeout,
    lookup: guardedLookup(isAllowed, lookUpName),
    autoSelectFamily: true,
    allowH2: false,
  });
  const agent = new EnvHttpProxyAgent({
    ...proxiesOf(process.env),
    proxyTunnel: false,
    proxyTls: { timeout },
    headersTimeout: timeoutMs,
    bodyTimeout: timeoutMs,
    keepAliveTimeout: 4_000,
    keepAliveMaxTimeout: 30_000,
    // More images than this wait for their turn at one host, and their deadline runs.
    connections: 128,
    pipelining: 1,
    maxHeaderSize: 16 * 1024,
    connect(options, callback) {
      const host = options.hostname.replace(/^\[|\]$/g, '');
      connectTo(options, (...result) => {
        const [error, socket] = result;
        if (error !== null) return callback(asConnectError(error), null);
        const peer = socket.remoteAddress ?? '';
        if (isAllowed(peer)) return callback(null, socket);
        socket.destroy();
        callback(blocked(host), null);
      });
    },
  });
  return agent.compose((dispatch) => (options, handler) => {
    const host = new URL(String(options.origin)).hostname.replace(/^\[|\]$/g, '');
    if (isIP(host) !== 0 && !isAllowed(host)) throw blocked(host);
    return dispatch(options, handler);
  });
}

function guardedLookup(isAllowed: AddressPredicate, lookUpName: LookUpName): LookupFunction {
  return (hostname, options, callback) => {
    const answer = (addresses: LookupAddress[]) => {
      const allowed = addresses.filter(({ address }) => isAllowed(address));
      const first = allowed[0];
      if (first === undefined) return callback(blocked(hostname), '', 0);
      if (options.all === true) callback(null, allowed);
      else callback(null, first.address, first.family);
    };
    lookUpName(hostname).then(answer, (error: NodeJS.ErrnoException) => callback(error, '', 0));
  };
}

function blocked(host: string): ClipfleetError {
  return new ClipfleetError(
    'IMAGE_ADDRESS_BLOCKED',
    `Expected a public address, but ${host} is none; allow private addresses if its images are meant to be read.`,
  );
}
