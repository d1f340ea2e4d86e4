// What the wider tests need beside Node and Redis: servers and programs of Debian, and Python with pinned packages.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { findProgram } from '../src/shared/redis/redisBinary.ts';
import { openPackageManager, run, say } from './packageManager.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));

/** Debian's packages, each with a file that it brings. */
const packages: Record<string, string> = {
  postgresql: '/usr/share/doc/postgresql',
  prometheus: '/usr/bin/promtool',
  chromium: '/usr/bin/chromium',
  libvulkan1: '/usr/share/doc/libvulkan1',
  'libimage-exiftool-perl': '/usr/bin/exiftool',
  'libheif-examples': '/usr/bin/heif-convert',
  curl: '/usr/bin/curl',
  gcc: '/usr/bin/gcc',
  'libc6-dev': '/usr/include/stdlib.h',
  'python3-venv': '/usr/share/doc/python3-venv',
};

/** Returns a sentence about what it could not do. */
export function prepareWiderTests(): string | undefined {
  const absent = Object.keys(packages).filter((name) => !existsSync(packages[name]!));
  return (absent.length === 0 || installed(absent) ? undefined : packagesRemedy(absent)) ?? prepareVenv();
}

function installed(names: string[]): boolean {
  const manager = openPackageManager();
  if (manager?.program !== 'apt-get') return false;
  manager.refresh();
  return manager.install(names);
}

const packagesRemedy = (names: string[]) =>
  `The wider tests need ${names.join(', ')}, as Debian calls them, and they could not be installed here.`;

/** A virtual environment in `.venv` with the pinned packages of `test/support/requirements.txt`. */
function prepareVenv(): string | undefined {
  const pip = join(root, '.venv/bin/pip');
  const requirements = join(root, 'test/support/requirements.txt');
  // Debian's python3 has its own venv; another Python that is first on PATH brings its own as well.
  const python = findProgram(['python3']);
  if (!python) return 'The wider tests need Python 3.11 or newer, and no python3 is on PATH.';
  if (!existsSync(pip) && !run([python, '-m', 'venv', join(root, '.venv')])) {
    return 'A virtual environment could not be made in .venv.';
  }
  const pins = readFileSync(requirements, 'utf8')
    .split('\n')
    .filter((line) => /^[^#\s]/.test(line)).length;
  say(`Python: ${pins} pinned packages into .venv`);
  return run([pip, 'install', '--quiet', '--disable-pip-version-check', '-r', requirements])
    ? undefined
    : 'The packages of test/support/requirements.txt could not be installed into .venv.';
}
