import { get, post, request } from './api.js';
import { bar, el, field, say, show, table } from './dom.js';

/** Labels one picture with typed words, at once. */
export function labelView({ root, title, signal }) {
  title.textContent = 'Label a picture';
  const file = el('input', { type: 'file', accept: 'image/*', onchange: preview });
  const address = el('input', { type: 'url', placeholder: 'https://', spellcheck: 'false' });
  const words = el('textarea', { rows: '4', required: true, placeholder: 'fox, bear, owl' });
  const template = el('input', { type: 'text', placeholder: 'This is a photo of {}.' });
  const model = el('select');
  const modelField = field('Model', model);
  modelField.hidden = true;
  const submit = el('button', { class: 'main' }, 'Label it');
  const wrong = el('p', { role: 'alert', class: 'wrong' });
  const picture = el('img', { hidden: true });
  const { box, body } = table('Labels of the picture', [
    'Label',
    { label: 'Score', class: 'number' },
    { label: '', class: 'wide', 'aria-hidden': 'true' },
  ]);
  box.hidden = true;
  const form = el(
    'form',
    { class: 'label', onsubmit: send },
    field('Picture from this computer', file),
    field('or its address', address),
    field('Labels, with commas or on lines', words),
    field('Prompt, {} where the label goes', template),
    modelField,
    submit,
    wrong,
  );
  root.append(el('div', { class: 'beside' }, form, el('div', {}, picture, box)));

  function preview() {
    URL.revokeObjectURL(picture.src);
    const [chosen] = file.files;
    picture.hidden = !chosen;
    if (!chosen) return;
    picture.src = URL.createObjectURL(chosen);
    picture.alt = chosen.name;
  }
  signal.addEventListener('abort', () => URL.revokeObjectURL(picture.src));

  async function send(event) {
    event.preventDefault();
    const labels = words.value.split(/[,\n]/).flatMap((word) => word.trim() || []);
    const [chosen] = file.files;
    show(wrong, faultOf(labels, chosen, address.value));
    box.hidden = true;
    if (wrong.textContent) return;
    submit.disabled = true;
    try {
      const asked = { candidate_labels: labels, model: model.value, hypothesis_template: template.value };
      const answers = await (chosen ? upload(chosen, asked) : ask(address.value, asked));
      body.replaceChildren(...answers.map(rowOf));
      box.hidden = false;
      say(`The best label is ${answers[0].label}.`);
    } catch (error) {
      if (!signal.aborted) show(wrong, error.message);
    } finally {
      submit.disabled = false;
    }
  }

  function ask(inputs, { model, ...parameters }) {
    return post('/v1/classify', { inputs, parameters: given(parameters), ...given({ model }) }, signal);
  }

  async function upload(image, { candidate_labels, ...others }) {
    const form = new FormData();
    form.append('candidate_labels', candidate_labels.join(','));
    for (const [name, value] of Object.entries(given(others))) form.append(name, value);
    form.append('image', image);
    return (await request('/v1/classify', { method: 'POST', body: form, signal })).json();
  }

  async function offerModels() {
    const { models } = await get('/v1/models', signal);
    const served = models.filter(({ workers }) => workers > 0);
    model.replaceChildren(...served.map((of) => el('option', {}, of.model)));
    modelField.hidden = served.length < 2;
    if (served.length === 0)
      show(wrong, 'No worker serves a model now. Start one: clipfleet worker --model MODEL');
  }
  offerModels().catch((error) => !signal.aborted && show(wrong, error.message));
}

/** What stands against sending the form; empty where nothing does. */
function faultOf(labels, file, address) {
  if (file && address !== '') return 'Choose a picture or give an address, not both.';
  if (!file && address === '') return 'Choose a picture or give its address.';
  return new Set(labels).size < 2 ? 'Type two different labels or more.' : '';
}

/** The members that are not empty. */
function given(members) {
  return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== ''));
}

function rowOf({ label, score }) {
  return el(
    'tr',
    {},
    el('th', { scope: 'row' }, label),
    el('td', { class: 'number' }, score.toFixed(4)),
    el(
      'td',
      { class: 'wide', 'aria-hidden': 'true' },
      bar(`Score of ${label}`, Math.min(1, Math.max(0, score))),
    ),
  );
}
