import { type DestinationStream, destination, type Logger, type LoggerOptions, pino } from 'pino';
import { withoutSecrets } from '../withoutSecrets.ts';
import { logLine } from './logLine.ts';
import { createRepeatedEvents, type EventNews } from './repeatedEvents.ts';

export type { Logger } from 'pino';

/** Warnings and errors may repeat as fast as a server answers; the rest is written as it comes. */
const [WARN, ERROR, FATAL] = [40, 50, 60];

const LOOK_MS = 60_000;

/** What tells one event from another, beside its words: where it is. Numbers and ids of jobs do not. */
const placeFields = ['host', 'lane', 'run', 'device', 'code'];

/**
 * On standard error, because standard output belongs to results: lines for people on a terminal, JSON lines otherwise.
 * Written synchronously, so that the last line before a crash is not lost.
 *
 * A warning or an error that repeats is written once, then at most once a minute with `times`, how often it came since, then once
 * that it is `over`.
 *
 * @param onError told of each line of level error or above, in a sentence
 */
export function createLog(
  level: string,
  stream = standardError(),
  lookMs = LOOK_MS,
  onError?: (message: string) => void,
): Logger {
  const repeated = createRepeatedEvents({ everyMs: lookMs });
  setInterval(repeated.look, lookMs).unref();
  const logMethod: NonNullable<LoggerOptions['hooks']>['logMethod'] = function (args, method, severity) {
    const [about, message] = typeof args[0] === 'object' ? [args[0] as object, args[1]] : [{}, args[0]];
    if (severity >= ERROR) onError?.(inShort(message, about));
    if (severity < WARN || severity >= FATAL) return method.apply(this, args);
    repeated.note(eventOf(severity, about, String(message)), (news: EventNews) => {
      if (news.kind === 'first') return method.apply(this, args);
      const { kind, ...counts } = news;
      const said = kind === 'over' ? `over: ${message}` : String(message);
      method.apply(this, [
        { ...about, ...counts, ...(kind === 'over' && { over: true }) },
        said,
      ] as typeof args);
    });
  };
  const timestamp = pino.stdTimeFunctions.isoTime;
  return pino(
    { level, base: null, timestamp, hooks: { logMethod }, serializers: { err: errorText } },
    stream,
  );
}

function standardError(): DestinationStream {
  const stream = destination({ fd: 2, sync: true });
  return process.stderr.isTTY ? { write: (json) => stream.write(logLine(json)) } : stream;
}

/** An error with its causes, whose messages are other libraries' and may name URLs with what is secret in them. */
function errorText(error: unknown): unknown {
  const text = pino.stdSerializers.err(error as Error) as unknown;
  if (typeof text !== 'object' || text === null) return text;
  const entries = Object.entries(text).map(([name, value]: [string, unknown]) => [
    name,
    typeof value === 'string' ? withoutSecrets(value) : value,
  ]);
  return Object.fromEntries(entries);
}

function inShort(message: unknown, about: { err?: Error }): string {
  const { err } = about;
  return withoutSecrets(err === undefined ? String(message) : `${message}: ${err.message}`);
}

function eventOf(severity: number, about: object, message: string): string {
  const error = (about as { err?: Error }).err?.message ?? '';
  const places = placeFields.map((name) => (about as Record<string, unknown>)[name] ?? '');
  return [severity, ...places, wordsOf(message), wordsOf(error)].join('|');
}

/** A message without what differs from one time to the next: numbers, what is quoted, and addresses. */
function wordsOf(message: string): string {
  return message
    .slice(0, 1_000)
    .replace(/\S+:\/\/\S+|'[^']*'|"[^"]*"/g, '…')
    .replace(/[\da-f]*\d[\da-f]*/gi, '#');
}
