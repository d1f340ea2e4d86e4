import { spawn } from 'node:child_process';

/** Where a program may work for the image being decoded. */
export interface HelperRoom {
  /** Path of its folder, which is there while it runs. */
  folder: string;
  /** Told its process id when it begins, undefined when it has ended. */
  onRun: (pid: number | undefined) => void;
}

/** It died, or was killed from outside: of the image nothing is known. */
export class HelperKilled extends Error {
  readonly signal: NodeJS.Signals;

  constructor(program: string, signal: NodeJS.Signals) {
    super(`${program} ended by ${signal}`);
    this.signal = signal;
  }
}

/**
 * Runs a program to its end, in a process of its own that belongs to the caller's process group. It gets the PATH and nothing
 * else of the environment, and what it prints is dropped.
 *
 * @returns its exit code, or `timeout`
 * @throws {HelperKilled}; an error with code ENOENT where there is no such program
 */
export function runHelper(
  program: string,
  args: string[],
  { folder, onRun }: HelperRoom,
  timeoutMs: number,
): Promise<number | 'timeout'> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, {
      cwd: folder,
      env: { PATH: process.env.PATH },
      stdio: 'ignore',
      timeout: timeoutMs,
      killSignal: 'SIGKILL',
      windowsHide: true,
    });
    onRun(child.pid);
    child.once('error', reject);
    child.once('exit', (code, signal) => {
      onRun(undefined);
      if (child.killed) resolve('timeout');
      else if (signal !== null) reject(new HelperKilled(program, signal));
      else resolve(code!);
    });
  });
}
