import { get } from './api.js';
import { bar, el, show } from './dom.js';
import { follow } from './follow.js';
import { count, duration, percent, rate, when } from './format.js';
import { createPace } from './pace.js';
import { repeat } from './repeat.js';
import { rowsPart } from './rowsPart.js';
import { runActions } from './runActions.js';
import { shareOf, stateOf } from './runRow.js';
import { summaryPart } from './summaryPart.js';
import { bottleneckOf } from './workersView.js';

const LOOK_MS = 3_000;

/** What is said of a run, by its name. */
const facts = {
  State: (run) => (stateOf(run) === 'paused' ? `paused: ${run.paused}` : run.state),
  Images: (run) => count(run.expected),
  Classified: (run) => count(run.classified),
  Failed: (run) => count(run.failed) + (run.retrying > 0 ? `, ${count(run.retrying)} tried again` : ''),
  Waiting: (run) => count(run.waiting),
  Active: (run) => count(run.active),
  Skipped: (run) => count(run.skipped),
  Duplicates: (run) => count(run.duplicates),
  Rate: (run) => (run.imagesPerSecond === undefined ? '–' : `${rate(run.imagesPerSecond)} images/s`),
  'Time left': (run) =>
    run.secondsLeft === undefined || run.paused !== undefined ? '–' : duration(run.secondsLeft),
  Bottleneck: (run) => (run.ended ? '–' : (run.bottleneck ?? '–')),
  Model: (run) => run.model ?? '',
  Source: (run) => run.source ?? '–',
  Lane: (run) => run.lane?.replace(/[{}]/g, '') ?? '',
  Opened: (run) => (run.createdAt ? when(run.createdAt) : ''),
};

/** One run, live. */
export function runView({ root, title, signal, name }) {
  title.textContent = name;
  const progress = bar(`Progress of ${name}`, 0);
  const share = el('span');
  const values = Object.keys(facts).map((fact) => [fact, el('dd')]);
  const warnings = el('ul');
  const warned = el('section', { hidden: true }, el('h2', {}, 'Warnings'), warnings);
  const actions = runActions(() => [name], look);
  const summary = summaryPart(name, signal);
  const rows = rowsPart(name, signal);
  const list = el(
    'dl',
    { class: 'facts' },
    ...values.map(([fact, value]) => el('div', {}, el('dt', {}, fact), value)),
  );
  root.append(
    el('p', { class: 'whole' }, progress, share),
    ...actions.nodes,
    list,
    warned,
    summary.node,
    rows.node,
  );

  const pace = createPace();
  let run = {};
  let isFollowed = false;

  function update(news) {
    // JSON leaves out what is undefined: a run that goes on says no reason for a pause.
    const { paused: _, ...others } = run;
    const wasEnded = run.ended;
    run = { ...others, ...news };
    Object.assign(
      run,
      run.ended
        ? { imagesPerSecond: undefined, secondsLeft: undefined }
        : pace.update(run.done, run.expected - run.done),
    );
    for (const [fact, value] of values) show(value, facts[fact](run));
    progress.value = shareOf(run);
    show(share, `${percent(shareOf(run))}, ${count(run.done)} of ${count(run.expected)} images`);
    if (run.ended && wasEnded === false) {
      void summary.look();
      void rows.look();
    }
  }

  async function look() {
    const [details, { workers }] = await Promise.all([
      get(`/v1/runs/${name}`, signal),
      get('/v1/workers', signal),
    ]);
    update({ ...details, bottleneck: bottleneckOf(details.model, workers) });
    if (details.warnings.length !== warnings.children.length)
      warnings.replaceChildren(...details.warnings.map((warning) => el('li', {}, warning)));
    warned.hidden = details.warnings.length === 0;
    if (isFollowed || run.ended) return;
    isFollowed = true;
    void follow([name], signal, update).finally(() => {
      isFollowed = false;
    });
  }

  void repeat(LOOK_MS, signal, look);
  void summary.start(() => run.ended);
  void rows.look();
}
