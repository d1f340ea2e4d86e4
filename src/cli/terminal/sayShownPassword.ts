import { say } from './screen.ts';

/** Says that a flag's password stands in the list of processes, which everybody on the machine may read. Never says the password. */
export function sayShownPassword({ redisUrl }: { redisUrl?: unknown }): void {
  if (typeof redisUrl !== 'string' || !/^[^/]*\/\/[^/:@]*:[^@]+@/.test(redisUrl)) return;
  // A supervisor passes its flags on, and has said so itself.
  if (process.connected !== undefined) return;
  say(
    'Warning: --redis-url has a password, which the list of processes shows to everybody. Give it by REDIS_URL.',
  );
}
