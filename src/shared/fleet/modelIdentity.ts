import { createHash } from 'node:crypto';

/**
 * Which model a run asks for and a worker serves: `name@revision:dtype`.
 *
 * For a model of the Hub the revision is its commit; for a directory, whose name says nothing about its content, it is
 * the first 12 hex digits of the fingerprint, so that the same files have the same identity on every machine.
 */
export interface ModelIdentity {
  name: string;
  revision: string;
  dtype: string;
}

/** The dtype in an identity where none was chosen. */
export const DEFAULT_DTYPE = 'fp32';

export function formatIdentity(identity: ModelIdentity): string {
  return `${identity.name}@${identity.revision}:${identity.dtype}`;
}

/** The parts of `name@revision:dtype`, or undefined where the text is not of that form. */
export function parseIdentity(text: string): ModelIdentity | undefined {
  const match = /^([^@:\s]+)@([^@:\s]+):([a-z0-9]+)$/.exec(text);
  return match ? { name: match[1]!, revision: match[2]!, dtype: match[3]! } : undefined;
}

/**
 * The model's short name in queue names and keys: readable, without `:` or braces, and different for any two
 * identities. `xenova-clip-vit-base-patch32-1f0c9a3b2d`
 */
export function modelKey(identity: string): string {
  const name = identity.split('@')[0]!.toLowerCase();
  const readable = name.replace(/[^a-z0-9._-]+/g, '-').slice(-48);
  const digest = createHash('sha256').update(identity).digest('hex').slice(0, 10);
  return `${readable}-${digest}`;
}
