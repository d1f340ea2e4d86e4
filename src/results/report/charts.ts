import { type Html, html } from './html.ts';

/** A bar of a table, as wide as its share of the largest. What it says stands in the cell beside it. */
export function bar(value: number, largest: number): Html {
  const width = largest > 0 ? (100 * value) / largest : 0;
  return html`<svg class="bar" viewBox="0 0 100 10" preserveAspectRatio="none" aria-hidden="true"><rect width="${width.toFixed(2)}" height="10"/></svg>`;
}

const [WIDTH, HEIGHT] = [400, 120];

/**
 * How often scores came: a column a bin. The numbers are in its name, for who does not see it.
 *
 * @param range the lowest and the highest score of all bins
 */
export function histogram(bins: readonly number[], range: { min: number; max: number }, name: string): Html {
  const largest = Math.max(1, ...bins);
  const step = WIDTH / bins.length;
  const columns = bins.map((count, i) => {
    const height = count === 0 ? 0 : Math.max(1, (HEIGHT * count) / largest);
    const x = (i * step + 1).toFixed(1);
    return html`<rect x="${x}" y="${(HEIGHT - height).toFixed(1)}" width="${(step - 2).toFixed(1)}" height="${height.toFixed(1)}"/>`;
  });
  const said = bins
    .map((count, i) => ({ count, from: range.min + (i * (range.max - range.min)) / bins.length }))
    .filter(({ count }) => count > 0)
    .map(({ count, from }) => `${count} from ${shortScore(from)}`)
    .join(', ');
  return html`<figure class="chart"><svg viewBox="0 0 ${WIDTH} ${HEIGHT}" preserveAspectRatio="none" role="img" aria-label="${name}: ${said}">${columns}</svg>
<figcaption><span>${shortScore(range.min)}</span><span>score, at most ${largest} images a column</span><span>${shortScore(range.max)}</span></figcaption></figure>`;
}

/** Three digits behind the point. */
export function shortScore(score: number): string {
  return score.toFixed(3);
}
