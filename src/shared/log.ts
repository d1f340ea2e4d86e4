import { destination, type Logger, pino } from 'pino';
import { logLine } from './logLine.ts';

export type { Logger } from 'pino';

/**
 * On standard error, because standard output belongs to results: lines for people on a terminal, JSON lines otherwise.
 * Written synchronously, so that the last line before a crash is not lost.
 */
export function createLog(level: string, isTerminal = process.stderr.isTTY): Logger {
  const stream = destination({ fd: 2, sync: true });
  const readable = { write: (json: string) => stream.write(logLine(json)) };
  return pino(
    { level, base: null, timestamp: pino.stdTimeFunctions.isoTime },
    isTerminal ? readable : stream,
  );
}
