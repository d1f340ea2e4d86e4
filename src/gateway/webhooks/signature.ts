import { createHmac } from 'node:crypto';
import { ClipfleetError } from '../../shared/errors.ts';

/** As Standard Webhooks has it. */
const [SECRET_BYTES_MIN, SECRET_BYTES_MAX] = [24, 64];

/**
 * The secrets of a file: a line each of `whsec_` and base64. Empty lines and those that begin with # are passed over. All of them sign, so that
 * receivers can change from one to the next.
 *
 * @throws USAGE naming the line that is none, and for a file without one
 */
export function parseWebhookSecrets(text: string): Buffer[] {
  const secrets = text.split('\n').flatMap((line, i) => {
    const given = line.trim();
    if (given === '' || given.startsWith('#')) return [];
    const base64 = /^whsec_([A-Za-z0-9+/]+={0,2})$/.exec(given)?.[1] ?? '';
    const secret = Buffer.from(base64, 'base64');
    if (secret.length >= SECRET_BYTES_MIN && secret.length <= SECRET_BYTES_MAX) return [secret];
    const message = `Expected whsec_ and ${SECRET_BYTES_MIN} to ${SECRET_BYTES_MAX} bytes in base64 in line ${i + 1} of the file of webhook secrets.`;
    throw new ClipfleetError('USAGE', message);
  });
  if (secrets.length > 0) return secrets;
  throw new ClipfleetError('USAGE', 'Expected a line whsec_BASE64 in the file of webhook secrets, got none.');
}

/**
 * The headers of a webhook: `webhook-signature` has an HMAC-SHA256 of id, time and body by each secret (Standard Webhooks, v1).
 *
 * @param at seconds since 1970
 */
export function webhookHeaders(
  secrets: readonly Buffer[],
  { id, at, body }: { id: string; at: number; body: string },
): Record<string, string> {
  const signed = secrets.map((secret) => {
    return `v1,${createHmac('sha256', secret).update(`${id}.${at}.${body}`).digest('base64')}`;
  });
  return {
    'content-type': 'application/json',
    'webhook-id': id,
    'webhook-timestamp': String(at),
    'webhook-signature': signed.join(' '),
  };
}
