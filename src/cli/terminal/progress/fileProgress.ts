import { createBar } from './bar.ts';

/** Redrawn so often at most. */
const DRAW_MS = 100;

/** Shows in a terminal how many files are done. */
export function createFileProgress(total: number, stream: NodeJS.WriteStream = process.stderr) {
  const bar = stream.isTTY ? createBar(stream) : undefined;
  let drawnAt = 0;
  return {
    update(files: number): void {
      if (Date.now() - drawnAt < DRAW_MS) return;
      drawnAt = Date.now();
      bar?.update(files, total, `${files}/${total} files`);
    },
    stop(): void {
      bar?.stop();
    },
  };
}
