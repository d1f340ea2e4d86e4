import { ClipfleetError, type ErrorCode, errorTable } from '../shared/errors.ts';

/** Asks a gateway. */
export interface Gateway {
  /** The answer, whose status is one of 200 to 299. @throws the code of the gateway's problem, GATEWAY_UNAVAILABLE, the signal's reason */
  ask(method: string, path: string, how?: Asking): Promise<Response>;
}

export interface Asking {
  signal?: AbortSignal | undefined;
  /** Sent as JSON. */
  json?: unknown;
  /** Sent as multipart/form-data. */
  form?: FormData;
  /** Lines of JSON, sent as they come. */
  lines?: AsyncIterable<string>;
}

/** @throws USAGE for what is no http URL */
export function createGateway(url: string, key: string | undefined): Gateway {
  const base = URL.canParse(url) ? new URL(url) : undefined;
  if (!base || !/^https?:$/.test(base.protocol)) {
    throw new ClipfleetError(
      'USAGE',
      `Expected the http or https URL of a gateway, got ${JSON.stringify(url)}.`,
    );
  }
  const root = base.href.replace(/\/$/, '');
  const authorization = key === undefined ? {} : { authorization: `Bearer ${key}` };

  return {
    async ask(method, path, { signal, ...how } = {}) {
      const { type, body } = bodyOf(how);
      const headers = { ...authorization, ...(type !== undefined && { 'content-type': type }) };
      const init = {
        method,
        headers,
        signal: signal ?? null,
        ...(body !== undefined && { body, duplex: 'half' }),
      };
      const answer = await fetch(`${root}${path}`, init as RequestInit).catch((cause: Error) => {
        if (signal?.aborted) throw signal.reason;
        throw unavailable(base.origin, cause);
      });
      if (!answer.ok) throw await problemOf(answer);
      return answer;
    },
  };
}

function bodyOf({ json, form, lines }: Asking): { type?: string; body?: unknown } {
  if (json !== undefined) return { type: 'application/json', body: JSON.stringify(json) };
  if (form) return { body: form };
  return lines ? { type: 'application/x-ndjson', body: bytesOf(lines) } : {};
}

async function* bytesOf(lines: AsyncIterable<string>): AsyncGenerator<Uint8Array> {
  const encoder = new TextEncoder();
  for await (const line of lines) yield encoder.encode(line);
}

/** Also for a connection that broke off in the middle of an answer. */
export function unavailable(where: string, cause: Error): ClipfleetError {
  const reason = (cause.cause as Error | undefined)?.message || cause.message;
  return new ClipfleetError(
    'GATEWAY_UNAVAILABLE',
    `Expected an answer of the gateway at ${where}, got: ${reason}.`,
    {
      cause,
    },
  );
}

/** The error that a problem document says; of an answer that is none, such as a proxy's, by its status. */
async function problemOf(answer: Response): Promise<ClipfleetError> {
  const text = await answer.text().catch(() => '');
  const { code, detail } = parsed(text);
  if (typeof code === 'string' && code in errorTable && typeof detail === 'string') {
    return new ClipfleetError(code as ErrorCode, detail);
  }
  const own = answer.status >= 500 ? 'GATEWAY_UNAVAILABLE' : 'REQUEST_INVALID';
  const got = `status ${answer.status} and ${JSON.stringify(text.slice(0, 200))}`;
  return new ClipfleetError(own, `Expected an answer of a Clipfleet gateway, got ${got}.`);
}

function parsed(text: string): { code?: unknown; detail?: unknown } {
  try {
    return (JSON.parse(text) as object | null) ?? {};
  } catch {
    return {};
  }
}
