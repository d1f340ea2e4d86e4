/** An HTTP date as RFC 9110 wants it sent. Date.parse alone reads far more than dates. */
const httpDate = /^[A-Za-z]{3}, \d\d [A-Za-z]{3} \d{4} \d\d:\d\d:\d\d GMT$/;

/**
 * How long a `Retry-After` asks to wait, in ms: seconds or a date. 0 when there is none, when it cannot be read, or is
 * over. A date is taken by the server's own clock when the answer says its time.
 */
export function retryAfterMs(retryAfter: unknown, date: unknown, now: number = Date.now()): number {
  if (typeof retryAfter !== 'string') return 0;
  const text = retryAfter.trim();
  if (/^\d{1,12}$/.test(text)) return Number(text) * 1000;
  if (!httpDate.test(text)) return 0;
  const sentAt = typeof date === 'string' && httpDate.test(date.trim()) ? Date.parse(date) : now;
  return Math.max(0, Date.parse(text) - sentAt) || 0;
}
