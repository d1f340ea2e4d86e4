import { ClipfleetError } from './errors.ts';

/** Where requests go through, as undici's EnvHttpProxyAgent takes it; empty where there is no proxy. NO_PROXY it reads itself. */
export interface Proxies {
  httpProxy: string;
  httpsProxy: string;
}

/**
 * The proxies of the usual variables, in lower case or in capitals. As with curl, an address without a scheme is one of `http:`.
 *
 * Throws USAGE for an address that is none. It is not shown, because it may hold a password.
 */
export function proxiesOf(env: NodeJS.ProcessEnv): Proxies {
  return { httpProxy: proxyIn(env, 'http_proxy'), httpsProxy: proxyIn(env, 'https_proxy') };
}

export function hasProxies({ httpProxy, httpsProxy }: Proxies): boolean {
  return httpProxy !== '' || httpsProxy !== '';
}

function proxyIn(env: NodeJS.ProcessEnv, variable: string): string {
  const name = [variable, variable.toUpperCase()].find((each) => env[each]?.trim());
  if (name === undefined) return '';
  const given = env[name]!.trim();
  const proxy = given.includes('://') ? given : `http://${given}`;
  const isProxy = URL.canParse(proxy) && ['http:', 'https:'].includes(new URL(proxy).protocol);
  if (isProxy) return proxy;
  throw new ClipfleetError(
    'USAGE',
    `${name}: expected http://HOST:PORT or https://HOST:PORT, with special characters of a password percent-encoded, ` +
      'got something else.',
  );
}
