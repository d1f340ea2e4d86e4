import { get } from './api.js';
import { bar, el, show, table } from './dom.js';
import { percent, rate, several } from './format.js';
import { repeat } from './repeat.js';

const LOOK_MS = 2_000;

const columns = [
  'Worker',
  'Model',
  'Device',
  { label: 'Images/s', class: 'number' },
  'Batch fill',
  'Bottleneck',
];

/** The workers there are now, and what each did last. */
export function workersView({ root, title, signal }) {
  title.textContent = 'Workers';
  const summary = el('p');
  const { box, body } = table('Workers', columns);
  root.append(summary, box);

  void repeat(LOOK_MS, signal, async () => {
    const { workers } = await get('/v1/workers', signal);
    const sum = workers.reduce((all, worker) => all + worker.imagesPerSecond, 0);
    box.hidden = workers.length === 0;
    show(
      summary,
      workers.length === 0
        ? 'No worker serves a model now. Start one: clipfleet worker --model MODEL'
        : `${several(workers.length, 'worker')}, ${rate(sum)} images/s together.`,
    );
    body.replaceChildren(...workers.map(rowOf));
  });
}

function rowOf({ host, pid, model, device, imagesPerSecond, batches, fill, bottleneck }) {
  const filled = batches > 0 ? [bar(`Batch fill of ${host}:${pid}`, fill), ` ${percent(fill)}`] : ['–'];
  return el(
    'tr',
    {},
    el('th', { scope: 'row' }, `${host}:${pid}`),
    el('td', {}, model),
    el('td', {}, device),
    el('td', { class: 'number' }, rate(imagesPerSecond)),
    el('td', {}, ...filled),
    el('td', {}, bottleneck),
  );
}

/** What holds up the worker of a model that does the most, in words. */
export function bottleneckOf(model, workers) {
  const serving = workers.filter((worker) => worker.model === model);
  if (serving.length === 0) return 'no worker serves its model';
  const busy = serving.filter(({ bottleneck }) => bottleneck !== 'idle');
  if (busy.length === 0) return 'workers are idle';
  return busy.reduce((most, worker) => (worker.imagesPerSecond > most.imagesPerSecond ? worker : most))
    .bottleneck;
}
