import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, chown, mkdir, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { promisify } from 'node:util';
import pg from 'pg';
import { temporaryFolder, until } from './support.ts';

const run = promisify(execFile);

/** A PostgreSQL server of the test's own, on a Unix socket, that a test may take away and bring back with all its data. */
export interface PostgresServer {
  /** Of a database that is there. */
  url(database?: string): string;
  /** Makes an empty database; resolves to its URL. */
  create(database: string): Promise<string>;
  ask<T extends object>(sql: string, database?: string): Promise<T[]>;
  start(): Promise<void>;
  /** At once, as in a crash of its process: the log brings it back to what was committed. */
  stop(): Promise<void>;
}

/**
 * PostgreSQL refuses to run as root, so that root runs it as `postgres`. Nothing is synced to the disk: the tests end processes,
 * not machines.
 */
export async function startPostgres(
  t: TestContext | { after(done: () => unknown): void },
): Promise<PostgresServer> {
  const programs = await findPrograms();
  const folder = await temporaryFolder(t as TestContext);
  const data = join(folder, 'data');
  await mkdir(data);
  const as = await userFor([folder, data]);
  const call = (program: string, args: string[]) =>
    [...as, join(programs, program), ...args] as [string, ...string[]];
  const [init, ...initArgs] = call('initdb', [
    '-D',
    data,
    '-U',
    'test',
    '-A',
    'trust',
    '-E',
    'UTF8',
    '--locale=C.UTF-8',
    '-N',
  ]);
  await run(init, initArgs, { cwd: folder });
  let child: ChildProcess | undefined;

  const server: PostgresServer = {
    url: (database = 'postgres') => `postgres://test@${encodeURIComponent(folder)}/${database}`,
    async create(database) {
      await server.ask(`CREATE DATABASE ${database}`);
      return server.url(database);
    },
    async ask<T extends object>(sql: string, database?: string) {
      const client = new pg.Client(server.url(database));
      client.on('error', () => {});
      await client.connect();
      try {
        return (await client.query<T>(sql)).rows;
      } finally {
        await client.end();
      }
    },
    async start() {
      const settings = ['listen_addresses=', 'fsync=off', 'max_connections=60'].flatMap((setting) => [
        '-c',
        setting,
      ]);
      const [command, ...args] = call('postgres', ['-D', data, '-k', folder, ...settings]);
      child = spawn(command, args, { cwd: folder, stdio: 'ignore' });
      await until(
        () =>
          server.ask('SELECT 1').then(
            () => true,
            () => false,
          ),
        'PostgreSQL answers',
      );
    },
    async stop() {
      if (!child || child.exitCode !== null || child.signalCode !== null) return;
      const exited = once(child, 'exit');
      // An immediate shutdown: its processes go too.
      child.kill('SIGQUIT');
      await exited;
    },
  };
  t.after(() => server.stop());
  await server.start();
  return server;
}

async function findPrograms(): Promise<string> {
  const versions = await readdir('/usr/lib/postgresql').catch(() => []);
  const newest = versions.sort((a, b) => Number(b) - Number(a))[0];
  if (newest !== undefined) return join('/usr/lib/postgresql', newest, 'bin');
  throw new Error(
    'Expected a PostgreSQL server in /usr/lib/postgresql: npm run setup -- --all installs one.',
  );
}

/** What a program is started by, so that it does not run as root, and can write into the folders. */
async function userFor(folders: string[]): Promise<string[]> {
  if (process.getuid?.() !== 0) return [];
  const [uid, gid] = await Promise.all(
    ['-u', '-g'].map(async (flag) => Number((await run('id', [flag, 'postgres'])).stdout)),
  );
  for (const folder of folders) {
    await chown(folder, uid!, gid!);
    await chmod(folder, 0o700);
  }
  return ['setpriv', `--reuid=${uid}`, `--regid=${gid}`, '--clear-groups'];
}
