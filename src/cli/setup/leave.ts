import { spawn } from 'node:child_process';
import { setTimeout as delay } from 'node:timers/promises';

/** From here on the process has so long to end by itself; then the signal ends it. */
export function endAfter(graceMs: number, name: NodeJS.Signals, beforeLeaving?: () => void): void {
  const end = () => {
    const seconds = graceMs / 1_000;
    process.stderr.write(
      `Not ended after ${seconds} s (--grace-ms): leaving what is left to be done again.\n`,
    );
    beforeLeaving?.();
    dieOf(name);
  };
  setTimeout(end, graceMs).unref();
}

/**
 * Ends the process by the signal itself, with its default action: that needs no thread to come to an end, where process.exit()
 * would wait for a session in the middle of a run.
 */
export function dieOf(name: NodeJS.Signals): void {
  // A progress bar has hidden the cursor.
  if (process.stderr.isTTY) process.stderr.write('\u001b[?25h\n');
  process.removeAllListeners(name);
  process.kill(process.pid, name);
}

/**
 * (module (import "wasi_snapshot_preview1" "proc_exit" (func (param i32))) (memory (export "memory") 1)
 *   (func (export "_start") (call 0 (i32.const 1)))), as WebAssembly's binary format has it.
 */
const exitModule = Buffer.from(
  'AGFzbQEAAAABCAJgAX8AYAAAAiQBFndhc2lfc25hcHNob3RfcHJldmlldzEJcHJvY19leGl0AAADAgEBBQMBAAEHEwIGbWVtb3J5AgAG' +
    'X3N0YXJ0AAEKCAEGAEEBEAAL',
  'base64',
);

let isUnfinished = false;

/** Something of this process could not be closed in its time, and would keep it alive: its end is that of `leaveThreads`. */
export function leaveUnfinished(): void {
  isUnfinished = true;
}

export function mustLeave(): boolean {
  return isUnfinished;
}

/** The place of the exit code in it, a number below 64. */
const CODE_AT = exitModule.length - 4;

/** What TypeScript's library for Node leaves out. */
declare const WebAssembly: {
  compile(bytes: Uint8Array): Promise<object>;
  instantiate(module: object, imports: object): Promise<object>;
};

/** Between asking for the end and being killed. */
const KILL_AFTER_S = 5;

/**
 * Ends the process with the exit code, also where one of its threads hangs in native code.
 *
 * process.exit() stops the threads first and waits for each; one that hangs makes it wait for ever. WASI's `proc_exit` is the only
 * way from Node to C's exit(), which waits for none. Should a library's own clean-up hang there, a shell kills the process: not a thread,
 * whose JavaScript would run on while V8 is taken down.
 */
export async function leaveThreads(code: 0 | 1): Promise<never> {
  const kill = `sleep ${KILL_AFTER_S}; kill -KILL ${process.pid}`;
  spawn('/bin/sh', ['-c', kill], { detached: true, stdio: 'ignore' })
    // Where there is no such shell, there is no such end.
    .on('error', () => {})
    .unref();
  // That WASI is experimental is no news for whoever reads the last words of this process.
  process.removeAllListeners('warning');
  const { WASI } = await import('node:wasi');
  const wasi = new WASI({ version: 'preview1', returnOnExit: false });
  const bytes = Buffer.from(exitModule);
  bytes[CODE_AT] = code;
  wasi.start(
    await WebAssembly.instantiate(await WebAssembly.compile(bytes), wasi.getImportObject() as object),
  );
  // Not reached.
  return delay(2_000 * KILL_AFTER_S) as Promise<never>;
}
