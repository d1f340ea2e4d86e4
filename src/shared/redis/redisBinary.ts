import { accessSync, constants, statSync } from 'node:fs';
import { delimiter, isAbsolute, join } from 'node:path';

/** The programs that speak Redis' protocol and keep Redis' files, in the order they are looked for. */
const serverNames = ['redis-server', 'valkey-server'];

/** What a person does to get a server, as the end of a sentence. */
export const redisRemedy =
  'install one (Debian and Ubuntu: `apt-get install redis-server`; macOS: `brew install redis`), ' +
  'or let `npm run setup` do it, or set REDIS_URL to a server that runs elsewhere';

/** The absolute path of the first of `names` on `path` that can be run, or undefined. */
export function findProgram(names: string[], path = process.env.PATH ?? ''): string | undefined {
  const folders = path.split(delimiter).filter(isAbsolute);
  const candidates = names.flatMap((name) => folders.map((folder) => join(folder, name)));
  return candidates.find(isProgram);
}

/** The absolute path of the Redis or Valkey server on PATH, or undefined. */
export function findRedisServer(): string | undefined {
  return findProgram(serverNames);
}

function isProgram(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return statSync(file).isFile();
  } catch {
    return false;
  }
}
