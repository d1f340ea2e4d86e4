const whole = new Intl.NumberFormat('en');
const tenth = new Intl.NumberFormat('en', { minimumFractionDigits: 1, maximumFractionDigits: 1 });
const date = new Intl.DateTimeFormat('en', { dateStyle: 'medium', timeStyle: 'short' });

export const count = (number) => whole.format(number);

/** One decimal below 100: what is measured is no better than that. */
export const rate = (number) => (number < 100 ? tenth : whole).format(number);

/** Never 100 % before all are done. */
export const percent = (share) => `${share >= 1 ? 100 : Math.floor(share * 1_000) / 10} %`;

export const when = (iso) => date.format(new Date(iso));

/** `1 run`, `2 runs`. */
export const several = (number, noun) => `${count(number)} ${noun}${number === 1 ? '' : 's'}`;

/** Seconds as people say them, in two units at most. */
export function duration(seconds) {
  const all = Math.max(1, Math.ceil(seconds));
  const [days, hours, minutes] = [86_400, 3_600, 60].map((unit) => Math.floor(all / unit));
  if (days > 0) return `${days} d ${hours % 24} h`;
  if (hours > 0) return `${hours} h ${minutes % 60} min`;
  if (minutes > 0) return `${minutes} min ${all % 60} s`;
  return `${all} s`;
}

/** Long texts, as data URLs are, cut to what a cell can show. */
export function short(text, characters = 160) {
  return text.length > characters ? `${text.slice(0, characters)}…` : text;
}
