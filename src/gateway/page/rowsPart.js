import { get } from './api.js';
import { el, field, show, table } from './dom.js';
import { short } from './format.js';

const PAGE = 50;

/** The rows of a run, a page at a time. */
export function rowsPart(run, signal) {
  let offset = 0;
  let next;
  const status = el(
    'select',
    { onchange: restart },
    ...['all', 'classified', 'failed'].map((of) => el('option', {}, of)),
  );
  const label = el('input', { type: 'search', onchange: restart });
  const about = el('p', { class: 'aside', role: 'status' });
  const back = el('button', { type: 'button', onclick: () => turn(Math.max(0, offset - PAGE)) }, 'Previous');
  const forward = el('button', { type: 'button', onclick: () => turn(next) }, 'Next');
  const anew = el('button', { type: 'button', onclick: () => look() }, 'Read again');
  const { box, body } = table('Rows', [
    'Image',
    { label: 'Uri', class: 'wide' },
    'Result',
    { label: 'Score', class: 'number' },
  ]);
  const node = el(
    'section',
    {},
    el('h2', {}, 'Rows'),
    el('div', { class: 'filters' }, field('Status', status), field('Best label', label)),
    about,
    box,
    el('div', { class: 'buttons', role: 'group', 'aria-label': 'Pages of rows' }, back, forward, anew),
  );

  async function look() {
    const query = new URLSearchParams({ offset: String(offset), limit: String(PAGE) });
    if (status.value !== 'all') query.set('status', status.value);
    if (label.value !== '') query.set('label', label.value);
    try {
      const page = await get(`/v1/runs/${run}/rows/page?${query}`, signal);
      next = page.next;
      body.replaceChildren(...page.rows.map(rowOf));
      box.hidden = page.rows.length === 0;
      show(
        about,
        page.rows.length === 0 ? 'No rows.' : `Rows ${offset + 1} to ${offset + page.rows.length}.`,
      );
    } catch (error) {
      if (!signal.aborted) show(about, error.message);
    }
    back.disabled = offset === 0;
    forward.disabled = next === undefined;
  }

  function turn(to) {
    offset = to;
    return look();
  }

  function restart() {
    return turn(0);
  }

  return { node, look };
}

function rowOf({ id, uri, status, predictions, error }) {
  const best = predictions?.[0];
  const result =
    status === 'failed'
      ? [el('code', {}, error.code), ` ${short(error.message)}`]
      : [best?.label ?? '(none)'];
  return el(
    'tr',
    {},
    el('th', { scope: 'row' }, short(id)),
    el('td', { class: 'wide' }, short(uri)),
    el('td', {}, ...result),
    el('td', { class: 'number' }, best ? best.score.toFixed(4) : ''),
  );
}
