import { get } from './api.js';
import { el, field, show, table } from './dom.js';
import { follow } from './follow.js';
import { count, several } from './format.js';
import { repeat } from './repeat.js';
import { runActions } from './runActions.js';
import { createRunRow, stateOf } from './runRow.js';

const LOOK_MS = 3_000;

/** Runs that are followed live; the others are as old as the last look. */
const FOLLOWED_MAX = 50;

/** What the gateway names the runs that it makes for single images. */
const SINGLE = 'classify';

const filters = {
  all: () => true,
  'in progress': ({ ended }) => !ended,
  paused: (run) => stateOf(run) === 'paused',
  open: ({ state }) => state === 'open',
  sealed: ({ state }) => state === 'sealed',
  complete: ({ state }) => state === 'complete',
  cancelled: ({ state }) => state === 'cancelled',
  'with failures': ({ failed }) => failed > 0,
};

/** All runs, those in progress live, and what is done with several at once. */
export function runsView({ root, title, signal }) {
  title.textContent = 'Runs';
  const rows = new Map();
  const chosen = new Set();
  const state = el(
    'select',
    { onchange: draw },
    ...Object.keys(filters).map((name) => el('option', {}, name)),
  );
  const search = el('input', { type: 'search', oninput: draw });
  const singles = el('input', { type: 'checkbox', onchange: draw });
  const all = el('input', { type: 'checkbox', 'aria-label': 'Choose all runs shown', onchange: chooseAll });
  const summary = el('p', { class: 'aside' });
  const actions = runActions(() => [...chosen], look);
  const { box, body } = table('Runs', [
    { label: all, class: 'check' },
    'Run',
    'State',
    'Progress',
    { label: 'Images', class: 'number wide' },
    { label: 'Failed', class: 'number' },
    { label: 'Images/s', class: 'number wide' },
    { label: 'Time left', class: 'number wide' },
    { label: 'Model', class: 'wide' },
    { label: 'Opened', class: 'wide' },
  ]);
  const shownFields = [
    field('State', state),
    field('Name or source', search),
    field('Single pictures too', singles),
  ];
  root.append(el('div', { class: 'filters' }, ...shownFields), ...actions.nodes, summary, box);

  /** Rows of the runs that the filters let through, in the list's order. */
  function shown() {
    const wanted = search.value.trim().toLowerCase();
    return [...rows.values()].filter(({ run }) => {
      if (!filters[state.value](run) || (run.source === SINGLE && !singles.checked)) return false;
      return run.run.toLowerCase().includes(wanted) || (run.source ?? '').toLowerCase().includes(wanted);
    });
  }

  function draw() {
    const wanted = shown();
    const nodes = wanted.map(({ node }) => node);
    if (nodes.length !== body.children.length || nodes.some((node, i) => node !== body.children[i]))
      body.replaceChildren(...nodes);
    const names = new Set(wanted.map(({ run }) => run.run));
    // What is not seen is not acted on.
    for (const run of chosen) if (!names.has(run)) choose(run, false);
    box.hidden = nodes.length === 0;
    drawChosen();
    followShown(wanted);
  }

  function drawChosen() {
    const total = body.children.length;
    all.checked = chosen.size > 0 && chosen.size === total;
    all.indeterminate = chosen.size > 0 && chosen.size < total;
    actions.update(chosen.size);
    const some = chosen.size > 0 ? `, ${count(chosen.size)} chosen` : '';
    show(summary, `${several(total, 'run')}${some}`);
  }

  function choose(run, isChosen) {
    rows.get(run)?.choose(isChosen);
    if (isChosen) chosen.add(run);
    else chosen.delete(run);
  }

  function chooseAll() {
    for (const { run } of shown()) choose(run.run, all.checked);
    drawChosen();
  }

  async function look() {
    const { runs } = await get('/v1/runs', signal);
    const before = new Map(rows);
    rows.clear();
    for (const run of runs) {
      const row = before.get(run.run) ?? createRunRow(run, onChoose);
      row.update(run);
      rows.set(run.run, row);
    }
    draw();
  }

  function onChoose(run, isChosen) {
    choose(run, isChosen);
    drawChosen();
  }

  let followed = '';
  let stop;

  /** One stream for the runs in progress that are shown, opened anew where they are others than before. */
  function followShown(wanted) {
    const runs = wanted.filter(({ run }) => !run.ended).slice(0, FOLLOWED_MAX);
    const names = runs.map(({ run }) => run.run);
    if (names.join() === followed) return;
    followed = names.join();
    stop?.abort();
    const mine = new AbortController();
    stop = mine;
    const both = AbortSignal.any([signal, mine.signal]);
    const onProgress = ({ run, ...progress }) => rows.get(run)?.update(progress);
    void follow(names, both, onProgress).finally(() => {
      // What was refused is tried again after the next look.
      if (stop === mine) followed = '';
    });
  }

  void repeat(LOOK_MS, signal, look);
}
