import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { after, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { createClassifier } from '../../src/classifier.ts';
import { demoModel, pictures } from '../support/fleet.ts';
import { serveHttp } from '../support/imageServer.ts';

const classifier = await createClassifier({ model: demoModel, allowPrivateAddresses: true });
after(() => classifier.close());

const picture = (name: string) => join(pictures, name);
const owl = picture('owl.jpg');
const labels = ['fox', 'bear', 'seagull', 'owl'];

test('a path, a URL, a file: URL, a data: URL and bytes of one image give one answer', async (t) => {
  const bytes = await readFile(owl);
  const server = await serveHttp(t, (_, response) => response.end(bytes));
  const images = [
    relative(process.cwd(), owl),
    `${server}/owl.jpg`,
    new URL(`${server}/owl.jpg`),
    pathToFileURL(owl),
    pathToFileURL(owl).href,
    `data:image/jpeg;base64,${bytes.toString('base64')}`,
    bytes,
    Uint8Array.from(bytes),
  ];
  const expected = await classifier.classify(owl, labels);
  assert.equal(expected[0]?.label, 'owl');
  for (const image of images)
    assert.deepEqual(await classifier.classify(image, labels), expected, String(image).slice(0, 60));
});

test('one image gets a list, several get a list each, in their order', async () => {
  const names = ['car', 'owl', 'fox', 'dog', 'car', 'tree', 'pizza'];
  const several = await classifier.classify(
    names.map((name) => picture(`${name}.jpg`)),
    [...new Set(names)],
  );
  assert.deepEqual(
    several.map(([best]) => best?.label),
    names,
  );
  const [one] = await classifier.classify([owl], labels);
  assert.equal(one?.[0]?.label, 'owl');
  assert.deepEqual(await classifier.classify([], labels), []);
});

test('a template is what the text tower reads, and of several the embeddings are averaged', async () => {
  const scores = async (hypothesisTemplate?: string | string[]) => {
    const predictions = await classifier.classify(owl, labels, {
      scoreFunction: 'cosine',
      ...(hypothesisTemplate && { hypothesisTemplate }),
    });
    return Object.fromEntries(predictions.map(({ label, score }) => [label, score]));
  };
  const byDefault = await scores();
  assert.deepEqual(await scores('This is a photo of {}.'), byDefault, "the pipeline's own template");
  const drawing = await scores('a drawing of {}');
  assert.notDeepEqual(drawing, byDefault);

  const { model } = classifier;
  const [image] = await model.embedImages([await model.processImage(await readFile(owl))]);
  const both = await scores(['This is a photo of {}.', 'a drawing of {}']);
  for (const label of labels) {
    const texts = await model.embedTexts([`This is a photo of ${label}.`, `a drawing of ${label}`]);
    const mean = texts[0]!.map((value, i) => value + texts[1]![i]!);
    const cosine = mean.reduce((sum, value, i) => sum + value * image![i]!, 0) / Math.hypot(...mean);
    assert.ok(Math.abs(both[label]! - cosine) < 1e-5, `${label}: ${both[label]}, by hand ${cosine}`);
  }
});

test('what a label set may say of scores is heard', async () => {
  const plain = await classifier.classify(owl, labels);
  const hot = await classifier.classify(owl, labels, { temperature: 10 });
  assert.ok(hot[0]!.score < plain[0]!.score, 'a high temperature evens out');
  const best = await classifier.classify(owl, labels, { topK: 2 });
  assert.deepEqual(best, plain.slice(0, 2));
  const threshold = plain[1]!.score;
  assert.deepEqual(await classifier.classify(owl, labels, { threshold }), plain.slice(0, 2));

  const cosines = await classifier.classify(owl, labels, { scoreFunction: 'cosine', outputs: ['logit'] });
  const { logitScale } = classifier.model.scoring;
  for (const { score, logit } of cosines) {
    assert.ok(score > -1 && score < 1, `${score}`);
    assert.ok(Math.abs(logit! - score * logitScale) < 1e-6, `${logit}`);
  }

  const withNone = ['fox', 'bear', 'seagull', { label: 'owl', negative: true }];
  const others = await classifier.classify(owl, withNone);
  const expected = plain.filter(({ label }) => label !== 'owl');
  assert.deepEqual(others, expected, 'a negative label takes its share and is not reported');
});

test('labels of any script come back unharmed, and each reaches the tokenizer as it is', async () => {
  const scripts = [
    'フクロウ',
    '一只猫头鹰',
    '🦉👍🏽',
    'Cafe\u0301',
    'Café',
    'हाथी',
    'فيل',
    "$& $1 $$ $'",
    '{}',
    ' owl ',
  ];
  const predictions = await classifier.classify(owl, scripts, {
    hypothesisTemplate: '{}',
    scoreFunction: 'cosine',
  });
  assert.deepEqual(predictions.map(({ label }) => label).sort(), [...scripts].sort());
  const { model } = classifier;
  const [image] = await model.embedImages([await model.processImage(await readFile(owl))]);
  const texts = await model.embedTexts(scripts);
  for (const { label, score } of predictions) {
    const text = texts[scripts.indexOf(label)]!;
    const cosine = text.reduce((sum, value, i) => sum + value * image![i]!, 0);
    assert.ok(Math.abs(score - cosine) < 1e-5, `${label}: ${score}, by hand ${cosine}`);
  }
});
