import { type Dispatcher, EnvHttpProxyAgent, fetch, type Response } from 'undici';
import { ClipfleetError } from '../../shared/errors.ts';
import { proxiesOf } from '../../shared/proxies.ts';
import { retried } from '../../shared/retried.ts';

export interface HubAccess {
  /** Where the Hub is, `https://huggingface.co` or a mirror; a path in it is kept. */
  endpoint: string;
  token?: string;
  offline: boolean;
  /** What requests say of who asks. */
  userAgent: string;
  signal?: AbortSignal;
  limits?: Partial<typeof defaultLimits>;
}

const defaultLimits = {
  connectTimeoutMs: 10_000,
  /** From the request to the headers of the answer. */
  headersTimeoutMs: 30_000,
  /** Between two pieces of a body. */
  idleTimeoutMs: 30_000,
  redirects: 5,
  /** Tries of one request that fails before its body: unreachable, HTTP 408, 429 or 5xx. */
  triesMax: 3,
  /** Pause before the second try; it doubles with every further one. */
  backoffMs: 500,
};

export type HubLimits = typeof defaultLimits;

export interface Hub {
  limits: HubLimits;
  /** A GET that follows redirects. Resolves with 200, 206 or 416; everything else is thrown. */
  get: (url: string, headers?: Record<string, string>) => Promise<Response>;
}

/**
 * Opens connections for `work` and closes them after it. Proxies are taken from HTTP_PROXY, HTTPS_PROXY, NO_PROXY.
 *
 * Throws USAGE for an endpoint that is no web address, HUB_UNAVAILABLE, HUB_FORBIDDEN, MODEL_NOT_FOUND, or the
 * signal's reason.
 */
export async function withHub<T>(access: HubAccess, work: (hub: Hub) => Promise<T>): Promise<T> {
  if (!/^https?:\/\/[^/]/.test(access.endpoint) || !URL.canParse(access.endpoint)) {
    throw new ClipfleetError(
      'USAGE',
      `HF_ENDPOINT must be a web address such as https://huggingface.co, not "${access.endpoint}".`,
    );
  }
  if (access.offline) throw unavailable(access, 'offline mode (HF_HUB_OFFLINE) is on');
  const limits = { ...defaultLimits, ...access.limits };
  const dispatcher = new EnvHttpProxyAgent({
    ...proxiesOf(process.env),
    connect: { timeout: limits.connectTimeoutMs },
    headersTimeout: limits.headersTimeoutMs,
    bodyTimeout: limits.idleTimeoutMs,
  });
  try {
    return await work({
      limits,
      get: (url, headers = {}) =>
        retried(() => follow(access, limits, dispatcher, url, headers), {
          triesMax: limits.triesMax,
          backoffMs: limits.backoffMs,
          signal: access.signal,
        }),
    });
  } finally {
    await dispatcher.destroy();
  }
}

/** HUB_UNAVAILABLE with the ways out. */
export function unavailable(access: HubAccess, reason: string, cause?: unknown): ClipfleetError {
  return new ClipfleetError(
    'HUB_UNAVAILABLE',
    `The Hub at ${access.endpoint} cannot be reached: ${reason}. Ways out: \`--model models/demo\` (the bundled ` +
      'model), --model with a local directory, HF_HUB_OFFLINE=1 with a cache that holds the model, or HF_ENDPOINT ' +
      'with a mirror.',
    { cause },
  );
}

/** The token goes to the endpoint's own origin and nowhere else: large files are redirected to other hosts. */
async function follow(
  access: HubAccess,
  limits: HubLimits,
  dispatcher: Dispatcher,
  url: string,
  headers: Record<string, string>,
): Promise<Response> {
  const home = new URL(access.endpoint).origin;
  let at = new URL(url);
  for (let hops = 0; hops <= limits.redirects; hops++) {
    const atHome = at.origin === home;
    const authorization: Record<string, string> =
      atHome && access.token ? { authorization: `Bearer ${access.token}` } : {};
    const response = await send(access, dispatcher, at, { ...headers, ...authorization });
    if ([200, 206, 416].includes(response.status)) return response;
    await response.body?.cancel();
    const location = response.headers.get('location');
    if (![301, 302, 303, 307, 308].includes(response.status) || location === null) {
      throw atHome
        ? refusal(access, at, response)
        : unavailable(access, `${at.host} said ${status(response)}`);
    }
    if (!URL.canParse(location, at.href)) throw unavailable(access, `it redirects to "${location}"`);
    at = new URL(location, at);
  }
  throw unavailable(access, `it redirects more than ${limits.redirects} times`);
}

async function send(access: HubAccess, dispatcher: Dispatcher, url: URL, headers: Record<string, string>) {
  try {
    return await fetch(url, {
      dispatcher,
      redirect: 'manual',
      signal: access.signal ?? null,
      // Sizes and ranges are those of the file only when nothing compresses it on the way.
      headers: { 'user-agent': access.userAgent, 'accept-encoding': 'identity', ...headers },
    });
  } catch (error) {
    access.signal?.throwIfAborted();
    throw unavailable(access, reasonOf(error), error);
  }
}

/** The words of a failed request: fetch hides them in the cause, and of several addresses in the first of them. */
export function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (error instanceof AggregateError && error.errors.length > 0) return reasonOf(error.errors[0]);
  return error.cause === undefined ? error.message : reasonOf(error.cause);
}

/** The Hub tells a stranger 401 RepoNotFound for private repositories and for those that do not exist alike. */
function refusal(access: HubAccess, url: URL, response: Response): ClipfleetError {
  const { status: code } = response;
  const kind = response.headers.get('x-error-code');
  const said = `${url.origin}${url.pathname} said ${status(response)}`;
  if (code === 408 || code === 429 || code >= 500) return unavailable(access, said);
  if (kind === 'RevisionNotFound') {
    return new ClipfleetError('MODEL_NOT_FOUND', `${said}: no such revision. Give a branch, tag or commit.`);
  }
  if (code === 404 || kind === 'RepoNotFound') {
    return new ClipfleetError(
      'MODEL_NOT_FOUND',
      `${said}: no such model. Names are case-sensitive (owner/repo); for a private one set HF_TOKEN.`,
    );
  }
  return new ClipfleetError(
    'HUB_FORBIDDEN',
    `${said}: the model is private or gated${access.token ? ', or the token is not good for it' : ''}. Set HF_TOKEN ` +
      'to a token that may read it, and accept its conditions on its page.',
  );
}

function status(response: Response): string {
  const words = response.headers.get('x-error-message') ?? response.headers.get('x-error-code');
  return `HTTP ${response.status}${words ? ` (${words})` : ''}`;
}
