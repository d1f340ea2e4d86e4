// Makes this machine ready to run and test Clipfleet: says what is missing, and installs a Redis server.
import { spawnSync } from 'node:child_process';
import { findProgram, findRedisServer, redisRemedy } from '../src/shared/redis/redisBinary.ts';

const oldestNode = [20, 9] as const;

/** How one system's package manager is told to install a package, without a question. */
interface PackageManager {
  program: string;
  /** Run once before; where it fails, the lists that are there may still do. */
  refresh?: string[];
  install: string[];
  /** The packages with a server, by the names they have in one release or another. */
  packages: string[];
  /** brew refuses to run as root. */
  needsRoot: boolean;
}

const managers: PackageManager[] = [
  {
    program: 'apt-get',
    refresh: ['update'],
    install: ['install', '-y', '--no-install-recommends'],
    packages: ['redis-server', 'valkey-server'],
    needsRoot: true,
  },
  { program: 'dnf', install: ['install', '-y'], packages: ['redis', 'valkey'], needsRoot: true },
  { program: 'apk', install: ['add', '--no-cache'], packages: ['redis', 'valkey'], needsRoot: true },
  { program: 'pacman', install: ['-Sy', '--noconfirm'], packages: ['valkey', 'redis'], needsRoot: true },
  {
    program: 'zypper',
    install: ['--non-interactive', 'install'],
    packages: ['redis', 'valkey'],
    needsRoot: true,
  },
  { program: 'brew', install: ['install'], packages: ['redis', 'valkey'], needsRoot: false },
];

const fault = prepare();
if (fault) {
  say(fault);
  process.exitCode = 1;
}

/** Does what is missing; returns a sentence about what it could not do. */
function prepare(): string | undefined {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  if (major < oldestNode[0] || (major === oldestNode[0] && minor < oldestNode[1])) {
    return `Expected Node.js ${oldestNode.join('.')} or newer, got ${process.versions.node}: upgrade it.`;
  }
  if (process.env.REDIS_URL || findRedisServer()) return undefined;
  say('Clipfleet runs its queue on a Redis server, and none is on PATH.');
  return installRedis() ? undefined : `Redis could not be installed here: ${redisRemedy}.`;
}

/** Returns whether there is a server now. */
function installRedis(): boolean {
  const manager = managers.find(({ program }) => findProgram([program]));
  if (!manager) return false;
  const prefix = manager.needsRoot ? rootPrefix() : [];
  if (!prefix) return false;
  if (manager.program === 'apt-get') prefix.push('env', 'DEBIAN_FRONTEND=noninteractive');
  if (manager.refresh) run([...prefix, manager.program, ...manager.refresh]);
  for (const name of manager.packages) {
    run([...prefix, manager.program, ...manager.install, name]);
    if (!findRedisServer()) continue;
    say('Installed. If the package started a service on port 6379: Clipfleet does not use it.');
    return true;
  }
  return false;
}

/** What comes before a command that only root may run; undefined where there is no way to become root. */
function rootPrefix(): string[] | undefined {
  if (process.getuid?.() === 0) return [];
  return findProgram(['sudo']) ? ['sudo'] : undefined;
}

/** Prints the command, then runs it; what it prints goes to standard error, as everything here. */
function run(command: string[]): void {
  say(`> ${command.join(' ')}`);
  const [program = '', ...words] = command;
  const { error } = spawnSync(program, words, { stdio: ['inherit', 2, 2] });
  if (error) say(error.message);
}

function say(sentence: string): void {
  process.stderr.write(`${sentence}\n`);
}
