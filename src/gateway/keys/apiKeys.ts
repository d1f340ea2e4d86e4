import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { ClipfleetError } from '../../shared/errors.ts';

/** What a key may do. `admin` may do what the others may, and ends and removes runs. */
const keyScopes = ['read', 'enqueue', 'admin'] as const;
export type KeyScope = (typeof keyScopes)[number];

/** Who asks, as far as a key says it. */
export interface KeyHolder {
  name: string;
  scopes: readonly KeyScope[];
}

export interface ApiKeys {
  /** Whose key it is; undefined for a key that nobody has. */
  holderOf(key: string): KeyHolder | undefined;
}

const KEY_BYTES = 32;
const nameForm = /^[A-Za-z0-9._-]{1,64}$/;

/**
 * A new key, and the line of the key file that lets its holder in. The file holds its SHA-256 alone: a key is 32 random bytes, which
 * no list of passwords has, so a slow hash would protect nothing.
 *
 * @throws USAGE for a name that is none
 */
export function createApiKey(name: string, scopes: readonly KeyScope[]): { key: string; line: string } {
  if (!nameForm.test(name)) {
    const message = `Expected a name of 1 to 64 characters of A-Z a-z 0-9 . _ -, got ${JSON.stringify(name)}.`;
    throw new ClipfleetError('USAGE', message);
  }
  const key = `clipfleet_${randomBytes(KEY_BYTES).toString('base64url')}`;
  return { key, line: `${name} ${scopes.join(',')} ${digestOf(key).toString('hex')}` };
}

/**
 * The keys of a key file: a line each of a name, scopes and a SHA-256 in hex. Empty lines and those that begin with # are passed over.
 *
 * @throws USAGE naming the line that is none
 */
export function parseApiKeys(text: string): ApiKeys {
  const known = text
    .split('\n')
    .map((line, i) => ({ line: line.trim(), number: i + 1 }))
    .filter(({ line }) => line !== '' && !line.startsWith('#'))
    .map(({ line, number }) => parseLine(line, number));
  return {
    holderOf(key) {
      const digest = digestOf(key);
      // All are compared, each in constant time: how long it takes tells nothing of the keys.
      const found = known.filter((entry) => timingSafeEqual(entry.digest, digest));
      return found[0]?.holder;
    },
  };
}

function parseLine(line: string, number: number): { holder: KeyHolder; digest: Buffer } {
  const [name = '', scopes = '', hex = ''] = line.split(/\s+/);
  const named = scopes
    .split(',')
    .filter((scope): scope is KeyScope => keyScopes.some((one) => one === scope));
  if (!nameForm.test(name) || named.length !== scopes.split(',').length || !/^[0-9a-f]{64}$/.test(hex)) {
    const message = `Expected NAME SCOPES SHA256 in line ${number} of the key file: make lines with clipfleet key.`;
    throw new ClipfleetError('USAGE', message);
  }
  return { holder: { name, scopes: named }, digest: Buffer.from(hex, 'hex') };
}

function digestOf(key: string): Buffer {
  return createHash('sha256').update(key).digest();
}
