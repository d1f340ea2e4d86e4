import { el, say, trouble } from './dom.js';
import { labelView } from './labelView.js';
import { runsView } from './runsView.js';
import { runView } from './runView.js';
import { workersView } from './workersView.js';

/** Each view by the address that shows it; it builds itself in a root, and stops when its signal aborts. */
const views = [
  [/^#\/runs\/([A-Za-z0-9_-]{1,64})$/, runView],
  [/^#\/workers$/, workersView],
  [/^#\/label$/, labelView],
  [/^/, runsView],
];

let leaving;

function open(isFirst) {
  // The link that skips to the content is no view.
  if (location.hash === '#main') return;
  leaving?.abort();
  leaving = new AbortController();
  trouble(undefined);
  say('');
  const main = document.getElementById('main');
  const [pattern, view] = views.find(([of]) => of.test(location.hash));
  const title = el('h1', { tabindex: '-1' });
  main.replaceChildren(title);
  view({ root: main, title, signal: leaving.signal, name: pattern.exec(location.hash)[1] });
  document.title = `${title.textContent} – Clipfleet`;
  for (const link of document.querySelectorAll('nav a')) {
    const isHere = (location.hash || '#/runs').startsWith(link.getAttribute('href'));
    if (isHere) link.setAttribute('aria-current', 'page');
    else link.removeAttribute('aria-current');
  }
  if (!isFirst) title.focus();
}

addEventListener('hashchange', () => open(false));
open(true);
