import { bar, histogram, shortScore } from './charts.ts';
import { type Html, html } from './html.ts';
import type { Report } from './report.ts';
import type { Sample } from './reportRows.ts';

const LABELS_SHOWN_MAX = 200;

/** Labels by their images, most first. */
export function byImages(labels: ReadonlyMap<string, number>): [string, number][] {
  return [...labels].sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1));
}

export function labelsSection({ totals }: Report): Html {
  const labels = byImages(totals.labels);
  const shown = labels.slice(0, LABELS_SHOWN_MAX);
  const others = labels.slice(LABELS_SHOWN_MAX).reduce((sum, [, images]) => sum + images, 0);
  const largest = shown[0]?.[1] ?? 0;
  const classified = sum(totals.labels.values()) + totals.unlabeled;
  const row = (label: string | Html, images: number) =>
    html`<tr><th scope="row"><bdi>${label}</bdi></th><td class="number">${images}</td><td class="number">${share(images, classified)}</td><td>${bar(images, largest)}</td></tr>`;
  if (classified === 0) return html`<p>No image is classified.</p>`;
  return html`<div class="scroll" tabindex="0" role="region" aria-label="Images by best label"><table>
<thead><tr><th scope="col">Best label</th><th scope="col" class="number">Images</th><th scope="col" class="number">Share</th><td class="wide"></td></tr></thead>
<tbody>${shown.map(([label, images]) => row(label, images))}
${others > 0 && row(html`<em>${labels.length - shown.length} more labels</em>`, others)}
${totals.unlabeled > 0 && row(html`<em>below every threshold</em>`, totals.unlabeled)}</tbody>
</table></div>`;
}

export function scoresSection({ totals, bins, byLabel }: Report): Html {
  if (totals.labels.size === 0) return html`<p>No image has a label.</p>`;
  const charts = [...byLabel].map(
    ([label, of]) =>
      html`<div><h3><bdi>${label}</bdi></h3>${histogram(of.bins, totals.scores, `Scores of ${label}`)}</div>`,
  );
  return html`<p>How sure the model is: the score of each image’s best label.</p>
${histogram(bins, totals.scores, 'Best scores of all images')}
<details><summary>By label</summary><div class="charts">${charts}</div></details>`;
}

export function unsureSection(report: Report): Html {
  if (report.totals.unsure.length === 0) return html`<p>No image is classified.</p>`;
  return html`<p>The images of the lowest best score, the lowest first.</p>${pictures(report.totals.unsure, report)}`;
}

export function imagesSection(report: Report): Html {
  const { byLabel, totals } = report;
  if (byLabel.size === 0) return html`<p>No image has a label.</p>`;
  const groups = [...byLabel].map(([label, { samples }]) => {
    const images = totals.labels.get(label)!;
    return html`<h3><bdi>${label}</bdi> <small>${images} ${images === 1 ? 'image' : 'images'}</small></h3>${pictures(samples, report)}`;
  });
  const more = totals.labels.size - byLabel.size;
  return html`<p>Of each label the images of the lowest scores and others by chance, the lowest score first.</p>
${groups}${more > 0 && html`<p>${more} more labels are not shown.</p>`}`;
}

function pictures(samples: readonly Sample[], { thumbnailOf }: Report): Html {
  const figures = samples.map((sample) => {
    const { id, predictions } = sample;
    const thumbnail = thumbnailOf(sample);
    const picture =
      thumbnail && 'url' in thumbnail
        ? html`<img src="${thumbnail.url}" alt="" width="160" height="160">`
        : html`<div class="none">${thumbnail?.isNone ?? 'no picture'}</div>`;
    const scored = predictions.map(
      ({ label, score }) => html`<li><bdi>${label}</bdi> <b>${shortScore(score)}</b></li>`,
    );
    return html`<li><figure>${picture}<figcaption><bdi class="id">${id}</bdi><ol>${scored.length > 0 ? scored : html`<li>no label</li>`}</ol></figcaption></figure></li>\n`;
  });
  return html`<ul class="pictures">${figures}</ul>`;
}

function share(part: number, whole: number): string {
  return `${((100 * part) / whole).toFixed(1)} %`;
}

function sum(numbers: Iterable<number>): number {
  let total = 0;
  for (const number of numbers) total += number;
  return total;
}
