const levels = new Map([
  [10, 'trace'],
  [20, 'debug'],
  [30, 'info'],
  [40, 'warn'],
  [50, 'error'],
  [60, 'fatal'],
]);

/**
 * A line of the log for a terminal: `14:55:00 warn  HOST throttles, waiting {"seconds":4}`. It erases what stands in the
 * terminal's last line, which may be a bar. Text from outside cannot steer the terminal, because JSON writes control
 * characters as escapes and those of the message are replaced.
 *
 * @param json a line that pino wrote
 */
export function logLine(json: string): string {
  const { level, time, msg = '', err, ...rest } = JSON.parse(json) as Record<string, unknown>;
  const reason = errorText(err);
  const more = Object.keys(rest).length > 0 ? JSON.stringify(rest) : '';
  const at = new Date(String(time)).toTimeString().slice(0, 8);
  const parts = [at, (levels.get(Number(level)) ?? String(level)).padEnd(5), String(msg), reason, more];
  const text = parts.filter((part) => part !== '').join(' ');
  return `\r\u001b[K${text.replace(/\p{Cc}/gu, '\u{fffd}')}\n`;
}

function errorText(err: unknown): string {
  if (typeof err !== 'object' || err === null) return '';
  const { message, code } = err as { message?: unknown; code?: unknown };
  return [code, message].filter((part) => part !== undefined).join(': ');
}
