// Installs packages with the package manager of this machine, and says each command before it runs.
import { spawnSync } from 'node:child_process';
import { findProgram } from '../src/shared/redis/redisBinary.ts';

/** How one system's package manager is told to install a package, without a question. */
interface PackageManager {
  program: string;
  /** Run once before; where it fails, the lists that are there may still do. */
  refresh?: string[];
  install: string[];
  /** The packages with a Redis server, by the names they have in one release or another. */
  redis: string[];
  /** brew refuses to run as root. */
  needsRoot: boolean;
}

const managers: PackageManager[] = [
  {
    program: 'apt-get',
    refresh: ['update'],
    install: ['install', '-y', '--no-install-recommends'],
    redis: ['redis-server', 'valkey-server'],
    needsRoot: true,
  },
  { program: 'dnf', install: ['install', '-y'], redis: ['redis', 'valkey'], needsRoot: true },
  { program: 'apk', install: ['add', '--no-cache'], redis: ['redis', 'valkey'], needsRoot: true },
  { program: 'pacman', install: ['-Sy', '--noconfirm'], redis: ['valkey', 'redis'], needsRoot: true },
  {
    program: 'zypper',
    install: ['--non-interactive', 'install'],
    redis: ['redis', 'valkey'],
    needsRoot: true,
  },
  { program: 'brew', install: ['install'], redis: ['redis', 'valkey'], needsRoot: false },
];

/** The package manager of this machine with what comes before its commands; undefined where none can be used. */
export function openPackageManager() {
  const manager = managers.find(({ program }) => findProgram([program]));
  const prefix = manager?.needsRoot ? rootPrefix() : [];
  if (!manager || !prefix) return undefined;
  if (manager.program === 'apt-get') prefix.push('env', 'DEBIAN_FRONTEND=noninteractive');
  const call = (words: string[]) => run([...prefix, manager.program, ...words]);
  return {
    program: manager.program,
    redis: manager.redis,
    /** Where it fails, the lists that are there may still do. */
    refresh: () => manager.refresh && call(manager.refresh),
    install: (names: string[]) => call([...manager.install, ...names]),
  };
}

/** What comes before a command that only root may run; undefined where there is no way to become root. */
function rootPrefix(): string[] | undefined {
  if (process.getuid?.() === 0) return [];
  return findProgram(['sudo']) ? ['sudo'] : undefined;
}

/** Prints the command, then runs it and returns whether it succeeded; what it prints goes to standard error, as everything here. */
export function run(command: string[]): boolean {
  say(`> ${command.join(' ')}`);
  const [program = '', ...words] = command;
  const { error, status } = spawnSync(program, words, { stdio: ['inherit', 2, 2] });
  if (error) say(error.message);
  return status === 0;
}

export function say(sentence: string): void {
  process.stderr.write(`${sentence}\n`);
}
