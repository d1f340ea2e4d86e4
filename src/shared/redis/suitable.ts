import { ClipfleetError } from '../errors.ts';

/** Redis before 6.2 lacks commands BullMQ relies on. */
const OLDEST_VERSION = [6, 2] as const;

/** @throws REDIS_UNSUITABLE for a server that cannot be worked with, whatever its rights */
export function refuseUnsuitable(info: string): void {
  const field = (name: string) => new RegExp(`^${name}:(.*?)\\r?$`, 'm').exec(info)?.[1];
  const version = field('redis_version') ?? '0';
  const [major = 0, minor = 0] = version.split('.').map(Number);
  if (major < OLDEST_VERSION[0] || (major === OLDEST_VERSION[0] && minor < OLDEST_VERSION[1])) {
    throw unsuitable(
      `Expected Redis ${OLDEST_VERSION.join('.')} or newer, got ${version}: upgrade the server.`,
    );
  }
  const policy = field('maxmemory_policy');
  if (policy !== undefined && policy !== 'noeviction') {
    throw unsuitable(
      `Expected maxmemory-policy noeviction, got ${policy}: this Redis may silently drop jobs and rows. ` +
        'Run `redis-cli config set maxmemory-policy noeviction` and set it in redis.conf.',
    );
  }
  if (field('role') === 'slave') {
    const primary = `${field('master_host')}:${field('master_port')}`;
    throw unsuitable(
      `Expected a Redis that may be written to, got a replica of ${primary}: set REDIS_URL to that server.`,
    );
  }
}

/** Whether the one server that said this is a node of a cluster of several, beside what CLUSTER INFO says. */
export function isClusterOfSeveral([info = '']: readonly string[]): boolean {
  return Number(/^cluster_size:(\d+)/m.exec(info)?.[1] ?? 1) > 1;
}

/**
 * What Redis says against who comes and where to, as an error with a code; undefined for anything else.
 *
 * ioredis goes on with database 0 where another is refused, and without a password where none is asked for.
 */
export function refusalOf(error: Error, database: number | undefined): ClipfleetError | undefined {
  const { message } = error;
  if (/DB index is out of range|invalid DB index|SELECT is not allowed/i.test(message)) {
    return forbidden(`Redis has no database ${database} (${message}): correct the number in REDIS_URL.`);
  }
  if (/^WRONGPASS|invalid password|invalid username-password/i.test(message)) {
    return forbidden(`Redis refuses the user or the password (${message}): correct them in REDIS_URL.`);
  }
  if (/without any password configured|no password is set/i.test(message)) {
    return forbidden(
      'Redis asks for no password, and REDIS_URL has one: is it the right server? Leave the password out, or set requirepass.',
    );
  }
  if (/^NOAUTH/.test(message)) return forbidden('Redis asks for a password: put it into REDIS_URL.');
  return notAllowed(message);
}

/** What Redis says to a command that its user may not give, or on keys that are not the user's. */
export function notAllowed(message: string): ClipfleetError | undefined {
  const denied = /\bNOPERM\b(.*)/s.exec(message)?.[1]?.trim();
  if (denied === undefined) return undefined;
  const command = /the '([^']+)' command/.exec(denied)?.[1];
  const remedy = command
    ? `Allow it: ACL SETUSER NAME +${command}.`
    : 'Allow the user all keys and channels of --prefix: ACL SETUSER NAME ~clipfleet:* &*.';
  return forbidden(`Redis does not allow this user what is needed (${denied}). ${remedy}`);
}

function unsuitable(message: string): ClipfleetError {
  return new ClipfleetError('REDIS_UNSUITABLE', message);
}

function forbidden(message: string): ClipfleetError {
  return new ClipfleetError('REDIS_FORBIDDEN', message);
}
