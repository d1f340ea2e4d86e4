import assert from 'node:assert/strict';
import { createReadStream } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { createClassifier, type ImageInput } from '../../src/classifier.ts';
import { demoModel, pictures } from '../support/fleet.ts';

const bytes = await readFile(join(pictures, 'owl.jpg'));
const labels = ['fox', 'bear', 'seagull', 'owl'];
const classifier = await createClassifier({ model: demoModel, imageBytesMax: bytes.length });
after(() => classifier.close());

test('the bytes of an image in whatever holds them, and base64 as Python takes it', async () => {
  const copy = new ArrayBuffer(bytes.length);
  new Uint8Array(copy).set(bytes);
  const inputs: ImageInput[] = [
    copy,
    new DataView(copy),
    new Blob([copy]),
    new Blob([copy]).stream(),
    createReadStream(join(pictures, 'owl.jpg')),
    bytes.toString('base64'),
    bytes.toString('base64').replace(/.{76}/g, '$&\n'),
  ];
  const expected = await classifier.classify(bytes, labels);
  assert.equal(expected[0]?.label, 'owl');
  for (const [i, input] of inputs.entries())
    assert.deepEqual(await classifier.classify(input, labels), expected, `input ${i}`);
});

test('a value of another type is named', async () => {
  for (const [input, name] of [
    [null, 'null'],
    [undefined, 'undefined'],
    [7, 'number'],
    [{ url: 'owl.jpg' }, 'Object'],
    [
      (async function* () {
        yield 'text';
      })(),
      'string',
    ],
    ['', 'an empty text'],
  ] as const) {
    const classified = classifier.classify(input as unknown as ImageInput, labels);
    await assert.rejects(classified, { code: 'USAGE', message: new RegExp(`Expected .* ${name}\\.$`) });
  }
});

test('what is read from a Blob or a stream is bounded, and a path that is none is said', async () => {
  const more = new Uint8Array(bytes.length + 1);
  for (const input of [new Blob([more]), new Blob([more]).stream()])
    await assert.rejects(classifier.classify(input, labels), { code: 'IMAGE_TOO_LARGE' });
  await assert.rejects(classifier.classify('no/such.jpg', labels), { code: 'IMAGE_NOT_FOUND' });
});

test('it can be closed twice, and then says that it is closed', async () => {
  const other = await createClassifier({ model: demoModel });
  await Promise.all([other.close(), other.close()]);
  await other.close();
  await assert.rejects(other.classify(bytes, labels), {
    code: 'USAGE',
    message: 'The classifier is closed: make another.',
  });
});
