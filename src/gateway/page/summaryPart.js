import { get } from './api.js';
import { bar, el, show, table } from './dom.js';
import { count, percent, several, short } from './format.js';
import { pause } from './repeat.js';

const LOOK_MS = 10_000;
const LABELS_SHOWN = 50;

/** How often each label is the best one, and what failed, with an example of each code. */
export function summaryPart(run, signal) {
  const about = el('p', { class: 'aside' });
  const labels = table('Images by best label', ['Label', { label: 'Images', class: 'number' }, 'Share']);
  const failures = table('Failures by code', ['Code', { label: 'Images', class: 'number' }, 'Example']);
  const failed = el('section', { hidden: true }, el('h2', {}, 'Failures'), failures.box);
  const node = el('div', {}, el('section', {}, el('h2', {}, 'Labels'), about, labels.box), failed);

  async function look() {
    const summary = await get(`/v1/runs/${run}/summary`, signal);
    const most = Math.max(1, ...summary.labels.map(({ images }) => images));
    labels.body.replaceChildren(
      ...summary.labels.slice(0, LABELS_SHOWN).map((label) => labelRow(label, summary.classified, most)),
    );
    labels.box.hidden = summary.labels.length === 0;
    show(about, aboutOf(summary));
    failures.body.replaceChildren(...summary.failures.map(failureRow));
    failed.hidden = summary.failures.length === 0;
  }

  return {
    node,
    look: () => look().catch(() => show(about, 'The rows could not be read.')),
    /** Looks until the run has ended. */
    async start(hasEnded) {
      do {
        await this.look();
        await pause(LOOK_MS, signal);
      } while (!signal.aborted && !hasEnded());
    },
  };
}

function aboutOf({ labels, labelsFound, classified, isWhole }) {
  if (classified === 0) return 'No image is classified yet.';
  const rest =
    labels.length > LABELS_SHOWN
      ? ` The ${LABELS_SHOWN} most frequent labels of ${count(labelsFound)} are shown.`
      : '';
  return `${isWhole ? 'All' : 'The first'} ${several(classified, 'classified image')}.${rest}`;
}

function labelRow({ label, images }, classified, most) {
  return el(
    'tr',
    {},
    el('th', { scope: 'row' }, label ?? '(none above its threshold)'),
    el('td', { class: 'number' }, count(images)),
    el('td', {}, bar(`Share of ${label ?? 'none'}`, images / most), ` ${percent(images / classified)}`),
  );
}

function failureRow({ code, images, example }) {
  const shown = example
    ? [el('code', {}, short(example.id)), el('br'), short(example.message, 400)]
    : ['None among the rows that were read.'];
  return el(
    'tr',
    {},
    el('th', { scope: 'row' }, el('code', {}, code)),
    el('td', { class: 'number' }, count(images)),
    el('td', {}, ...shown),
  );
}
