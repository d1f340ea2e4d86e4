import { el, field } from './dom.js';

let asking;
let isDeclined = false;

/** Asks for the gateway's key; all who ask at the same time get the same answer. Resolves to undefined where the user gives none,
 * who is then not asked again until the page is loaded anew. */
export function askForKey(wasRefused) {
  if (isDeclined) return Promise.resolve(undefined);
  asking ??= openDialog(wasRefused).finally(() => {
    asking = undefined;
  });
  return asking;
}

function openDialog(wasRefused) {
  return new Promise((resolve) => {
    const input = el('input', { type: 'password', autocomplete: 'off', required: true, spellcheck: 'false' });
    const why = wasRefused ? 'The gateway does not know that key.' : 'This gateway wants a key.';
    const dialog = el('dialog', { 'aria-labelledby': 'key-title' });
    const form = el(
      'form',
      {
        onsubmit(event) {
          event.preventDefault();
          close(input.value.trim() || undefined);
        },
      },
      el('h2', { id: 'key-title' }, 'Key'),
      el('p', {}, `${why} It is kept until this tab is closed.`),
      field('Key', input),
      el(
        'div',
        { class: 'buttons' },
        el('button', { class: 'main' }, 'Use the key'),
        el('button', { type: 'button', onclick: () => close() }, 'Not now'),
      ),
    );
    function close(key) {
      isDeclined = key === undefined;
      dialog.remove();
      resolve(key);
    }
    dialog.append(form);
    dialog.addEventListener('cancel', () => close());
    document.body.append(dialog);
    dialog.showModal();
  });
}
