import { errorTable } from '../../shared/errors.ts';
import type { LabelSet } from '../../shared/labels/labelSet.ts';
import { version } from '../../shared/version.ts';
import { type Content, type Html, html } from './html.ts';
import type { RowTotals } from './reportRows.ts';

/** What was asked of which model. */
export interface ReportAbout {
  run: string;
  model: string;
  labelSetId: string;
  labelSet: LabelSet;
  /** ISO 8601. */
  createdAt: string;
  /** ISO 8601: when the report was made. */
  madeAt: string;
  state: string;
  /** Images of the run; more than its rows while it goes on. */
  expected: number;
  source: string | undefined;
}

const LABELS_SHOWN_MAX = 500;
const TEMPLATES_SHOWN_MAX = 10;

export function failuresSection({ failures }: RowTotals): Html {
  if (failures.size === 0) return html`<p>No image failed.</p>`;
  const codes = [...failures].sort(([, a], [, b]) => b.count - a.count);
  return html`${codes.map(
    ([
      code,
      { count, examples },
    ]) => html`<h3><code>${code}</code> <small>${count} ${count === 1 ? 'image' : 'images'}</small></h3>
<p>${(errorTable as Record<string, { says: string }>)[code]?.says ?? ''}</p>
<ul class="examples">${examples.map(({ id, message }) => html`<li><bdi class="id">${id}</bdi>: <bdi>${message}</bdi></li>`)}</ul>`,
  )}`;
}

export function provenanceSection(about: ReportAbout, { rows, fingerprints }: RowTotals): Html {
  const { labelSet } = about;
  const { scoreFunction, temperature, threshold, topK, labels, templates } = labelSet;
  const models = [...fingerprints].map(
    ([fingerprint, images]) => html`<code>${fingerprint}</code> (${images} images) `,
  );
  const facts: [string, Content][] = [
    ['Model', html`<code>${about.model}</code>`],
    ['Fingerprint of the model', models.length > 0 ? models : 'none: no image is classified'],
    ['Label set', html`<code>${about.labelSetId}</code>`],
    ['Labels', `${labels.length}, of which ${labels.filter(({ negative }) => negative).length} are negative`],
    ['Templates', templatesText(templates)],
    ['Score function', scoreFunction ?? 'the model’s own'],
    ['Temperature', temperature ?? 1],
    ['Threshold', threshold ?? 'none for the whole set'],
    ['Predictions kept', topK ?? 'all'],
    ['Images from', about.source ?? 'nobody said'],
    ['State', `${about.state}: ${rows} of ${about.expected} images have their row`],
    ['Opened', about.createdAt],
    ['Report made', `${about.madeAt}, by Clipfleet ${version}`],
  ];
  const shown = labels.slice(0, LABELS_SHOWN_MAX);
  return html`<dl>${facts.map(([name, value]) => html`<dt>${name}</dt><dd>${value}</dd>`)}</dl>
<details><summary>All labels</summary><ul class="examples">${shown.map(
    (label) =>
      html`<li><bdi>${label.label}</bdi>${label.negative && ', negative'}${label.threshold !== undefined && `, threshold ${label.threshold}`}${
        label.prompts &&
        html`, prompts: <bdi>${label.prompts.slice(0, TEMPLATES_SHOWN_MAX).join(' | ')}</bdi>`
      }</li>`,
  )}</ul>${labels.length > shown.length && html`<p>${labels.length - shown.length} more labels.</p>`}</details>`;
}

function templatesText(templates: readonly string[]): Html {
  const more = templates.length - TEMPLATES_SHOWN_MAX;
  const shown = templates.slice(0, TEMPLATES_SHOWN_MAX).map((template) => html`<bdi>${template}</bdi><br>`);
  return html`${shown}${more > 0 && `and ${more} more`}`;
}
