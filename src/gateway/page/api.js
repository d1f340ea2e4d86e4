import { askForKey } from './keyDialog.js';

const KEY = 'clipfleet.key';

/** What the gateway answered in place of what was asked for: an RFC 9457 problem. */
export class ApiError extends Error {
  constructor({ detail, title, code, status }) {
    super(detail ?? title ?? `The gateway answered ${status}.`);
    this.code = code;
    this.status = status;
  }
}

/**
 * Asks a route. Where the gateway wants a key, it is asked for once and kept until the browser's tab is closed.
 *
 * @throws ApiError, and what fetch throws where the gateway does not answer
 */
export async function request(path, options = {}) {
  for (;;) {
    const key = sessionStorage.getItem(KEY);
    const headers = { ...options.headers, ...(key && { authorization: `Bearer ${key}` }) };
    const answer = await fetch(path, { ...options, headers });
    if (answer.ok) return answer;
    const problem = await answer.json().catch(() => ({ status: answer.status }));
    if (answer.status !== 401) throw new ApiError(problem);
    // Another request may have brought a new key meanwhile.
    if (sessionStorage.getItem(KEY) !== key) continue;
    const given = await askForKey(key !== null);
    if (given === undefined) throw new ApiError(problem);
    sessionStorage.setItem(KEY, given);
  }
}

export async function get(path, signal) {
  return (await request(path, { signal })).json();
}

export async function post(path, body, signal) {
  const headers = { 'content-type': 'application/json' };
  return (await request(path, { method: 'POST', headers, body: JSON.stringify(body), signal })).json();
}
