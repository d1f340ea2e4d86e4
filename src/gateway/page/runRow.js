import { bar, el, show } from './dom.js';
import { count, duration, percent, rate, when } from './format.js';
import { createPace } from './pace.js';

/** `paused` where it is; else the run's state. */
export const stateOf = ({ state, paused, ended }) => (paused !== undefined && !ended ? 'paused' : state);

/** Of what is expected so far; a run without images is at 0. */
export const shareOf = ({ done, expected }) => (expected === 0 ? 0 : done / expected);

/** A run as a row of the list, which is made once and changed from then on. */
export function createRunRow(run, onChoose) {
  const { run: id } = run;
  const pace = createPace();
  const check = el('input', {
    type: 'checkbox',
    'aria-label': `Choose ${id}`,
    onchange: () => onChoose(id, check.checked),
  });
  const source = el('span', { class: 'aside' });
  const state = el('span', { class: 'state' });
  const progress = bar(`Progress of ${id}`, 0);
  const share = el('span');
  const [images, failed, speed, left] = [0, 0, 0, 0].map((_, i) =>
    el('td', { class: i === 0 ? 'number wide' : 'number' }),
  );
  for (const cell of [speed, left]) cell.classList.add('wide');
  const node = el(
    'tr',
    {},
    el('td', {}, check),
    el('th', { scope: 'row' }, el('a', { href: `#/runs/${id}` }, id), source),
    el('td', {}, state),
    el('td', { class: 'progress' }, progress, share),
    images,
    failed,
    speed,
    left,
    el('td', { class: 'wide' }, run.model),
    el('td', { class: 'wide' }, when(run.createdAt)),
  );
  let seen = '';

  return {
    node,
    get run() {
      return run;
    },
    choose(isChosen) {
      check.checked = isChosen;
    },
    /** @param news the run, or as much of it as is known now */
    update(news) {
      const before = run;
      run = { ...run, ...news };
      // JSON leaves out what is undefined: a run that goes on says no reason for a pause.
      if (!('paused' in news)) delete run.paused;
      const { imagesPerSecond, secondsLeft } = run.ended
        ? {}
        : pace.update(run.done, run.expected - run.done);
      const text = JSON.stringify(run);
      if (text === seen && before.ended) return;
      seen = text;
      show(source, run.source ?? '');
      show(state, stateOf(run));
      state.dataset.state = stateOf(run);
      if (run.paused !== undefined) state.title = run.paused;
      else state.removeAttribute('title');
      progress.value = shareOf(run);
      show(share, percent(shareOf(run)));
      show(images, count(run.expected));
      show(failed, count(run.failed));
      show(speed, imagesPerSecond === undefined ? '' : rate(imagesPerSecond));
      show(left, secondsLeft === undefined || run.paused !== undefined ? '' : duration(secondsLeft));
    },
  };
}
