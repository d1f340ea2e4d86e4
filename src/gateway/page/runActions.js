import { post } from './api.js';
import { el, say } from './dom.js';
import { several } from './format.js';

const NAMES_SHOWN = 10;

const actions = [
  ['pause', 'Pause', 'Paused'],
  ['resume', 'Resume', 'Resumed'],
  ['retry', 'Retry failed', 'Trying the failed images again of'],
  ['cancel', 'Cancel…', 'Cancelled'],
];

/**
 * Buttons that do one thing with several runs.
 *
 * @param chosen gives the ids of the runs
 * @param onDone is called when the gateway has answered
 */
export function runActions(chosen, onDone) {
  const problems = el('ul', { class: 'problems', role: 'alert' });
  const buttons = actions.map(([action, label, done]) =>
    el('button', { type: 'button', class: action, onclick: () => act(action, done) }, label),
  );
  const bar = el(
    'div',
    { class: 'buttons', role: 'group', 'aria-label': 'With the chosen runs' },
    ...buttons,
  );

  async function act(action, done) {
    const runs = chosen();
    if (runs.length === 0 || (action === 'cancel' && !(await confirmCancel(runs)))) return;
    bar.inert = true;
    try {
      const { results } = await post('/v1/actions', { action, runs });
      const failed = results.filter(({ error }) => error !== undefined);
      problems.replaceChildren(...failed.map(({ error }) => el('li', {}, error)));
      const acted = runs.length - failed.length;
      await onDone();
      say(acted > 0 ? `${done} ${acted === 1 && runs.length === 1 ? runs[0] : several(acted, 'run')}.` : '');
    } catch (error) {
      problems.replaceChildren(el('li', {}, error.message));
    } finally {
      bar.inert = false;
    }
  }

  return {
    nodes: [bar, problems],
    /** @param number of runs that are chosen */
    update(number) {
      for (const button of buttons) button.disabled = number === 0;
    },
  };
}

/** Cancelling cannot be undone: it is asked for twice. */
function confirmCancel(runs) {
  return new Promise((resolve) => {
    const names = runs.slice(0, NAMES_SHOWN).map((run) => el('li', {}, run));
    if (runs.length > NAMES_SHOWN)
      names.push(el('li', {}, `and ${several(runs.length - NAMES_SHOWN, 'other')}`));
    const what = several(runs.length, 'run');
    const dialog = el(
      'dialog',
      { 'aria-labelledby': 'cancel-title' },
      el('h2', { id: 'cancel-title' }, `Cancel ${what}?`),
      el('p', {}, 'Images that have no row yet are skipped. This cannot be undone.'),
      el('ul', {}, ...names),
      el(
        'div',
        { class: 'buttons' },
        el('button', { type: 'button', class: 'cancel', onclick: () => close(true) }, `Cancel ${what}`),
        el('button', { type: 'button', autofocus: true, onclick: () => close(false) }, 'Keep going'),
      ),
    );
    function close(isMeant) {
      dialog.remove();
      resolve(isMeant);
    }
    dialog.addEventListener('cancel', () => close(false));
    document.body.append(dialog);
    dialog.showModal();
  });
}
