/**
 * An element with attributes, listeners (`onclick`) and children. Strings become text nodes: nothing here is ever read as markup, so ids,
 * uris and labels may be anything.
 */
export function el(name, attributes = {}, ...children) {
  const node = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (key.startsWith('on')) node.addEventListener(key.slice(2), value);
    else if (value !== undefined && value !== false) node.setAttribute(key, value === true ? '' : value);
  }
  node.append(...children);
  return node;
}

/** Sets a text where it differs: screen readers and selections are left alone otherwise. */
export function show(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

/** A table with a caption for screen readers, in a box that scrolls by itself and by keyboard. */
export function table(caption, columns, ...bodyRows) {
  const head = el('tr', {}, ...columns.map((column) => headCell(column)));
  const body = el('tbody', {}, ...bodyRows);
  const node = el('table', {}, el('caption', {}, caption), el('thead', {}, head), body);
  return {
    body,
    box: el('div', { class: 'scroll', role: 'region', 'aria-label': caption, tabindex: '0' }, node),
  };
}

function headCell(column) {
  const { label, ...attributes } = typeof column === 'string' ? { label: column } : column;
  return el('th', { scope: 'col', ...attributes }, label);
}

/** A bar with a name for screen readers. */
export function bar(name, share) {
  return el('progress', { max: '1', value: String(share), 'aria-label': name });
}

/** A field with its label. */
export function field(label, input, ...more) {
  return el('label', { class: 'field' }, el('span', {}, label), input, ...more);
}

const SAID_MS = 8_000;
let fading;

/** Says what was done, to the eye for a while and to screen readers. */
export function say(text) {
  clearTimeout(fading);
  const node = document.getElementById('said');
  node.textContent = text;
  fading = setTimeout(() => node.replaceChildren(), SAID_MS);
}

/** Says what stands in the way until it does no more; nothing when undefined. */
export function trouble(text) {
  const node = document.getElementById('trouble');
  show(node, text ?? '');
  node.hidden = text === undefined;
}
