import { rmSync } from 'node:fs';

/**
 * Ends a decoder's process group, at once: the decoder, whose number the group has, and a program that it runs. Whether there
 * was one: Windows has none, but ends a program with the process that started it.
 */
export function endGroup(decoder: number): boolean {
  try {
    return process.kill(-decoder, 'SIGKILL');
  } catch {
    return false;
  }
}

/** Ends this decoder in the same way. */
export function endSelf(): void {
  if (!endGroup(process.pid)) process.kill(process.pid, 'SIGKILL');
}

/** Removes what a program had written for a decoder that is gone or about to go. */
export function removeScratch(folder: string): void {
  try {
    rmSync(folder, { recursive: true, force: true });
  } catch {
    // Something was written meanwhile, or somebody else removes it too.
  }
}
