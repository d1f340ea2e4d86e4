import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { createClassifier } from '../../src/classifier.ts';
import { demoModel, pictures } from '../support/fleet.ts';
import { serveHttp } from '../support/imageServer.ts';
import { temporaryFolder } from '../support/support.ts';

const owl = join(pictures, 'owl.jpg');
const labels = ['fox', 'bear', 'owl'];

test('a bad image rejects with its code, and the classifier goes on', async (t) => {
  const classifier = await createClassifier({ model: demoModel });
  t.after(() => classifier.close());
  const folder = await temporaryFolder(t);
  const text = join(folder, 'text.jpg');
  await writeFile(text, 'not an image');
  const server = await serveHttp(t, (_, response) => response.end());
  const bad: [string | Uint8Array, string][] = [
    [text, 'IMAGE_UNSUPPORTED'],
    [new Uint8Array(), 'IMAGE_EMPTY'],
    [join(folder, 'absent.jpg'), 'IMAGE_NOT_FOUND'],
    [`${server}/owl.jpg`, 'IMAGE_ADDRESS_BLOCKED'],
    ['ftp://example.org/owl.jpg', 'IMAGE_URI_INVALID'],
  ];
  for (const [image, code] of bad) {
    await assert.rejects(classifier.classify(image, labels), { name: 'ClipfleetError', code });
    await assert.rejects(classifier.classify([owl, image, owl], labels), { code }, `${code} among others`);
  }
  await assert.rejects(classifier.classify(owl, []), { code: 'LABEL_SET_INVALID' });
  assert.equal((await classifier.classify(owl, labels))[0]?.label, 'owl');
});

test('labels are encoded once however many images and calls they are asked for', async (t) => {
  const classifier = await createClassifier({ model: demoModel });
  t.after(() => classifier.close());
  const { session } = classifier.model;
  const { embedTexts } = session;
  const encoded: (readonly string[])[] = [];
  session.embedTexts = (prompts) => {
    encoded.push(prompts);
    return embedTexts(prompts);
  };
  await Promise.all([classifier.classify([owl, owl], labels), classifier.classify(owl, labels)]);
  await classifier.classify(owl, [...labels]);
  assert.equal(encoded.length, 1);
  await classifier.classify(owl, [...labels, 'cat']);
  await classifier.classify(owl, labels, { hypothesisTemplate: 'a drawing of {}' });
  assert.deepEqual(
    encoded.map((prompts) => prompts.length),
    [3, 4, 3],
  );
});

test('labels whose encoding failed are encoded anew', async (t) => {
  const classifier = await createClassifier({ model: demoModel });
  t.after(() => classifier.close());
  const { session } = classifier.model;
  const { embedTexts } = session;
  session.embedTexts = () => Promise.reject(new Error('once'));
  await assert.rejects(classifier.classify(owl, labels), /once/);
  session.embedTexts = embedTexts;
  assert.equal((await classifier.classify(owl, labels))[0]?.label, 'owl');
});

test('a process that closes its classifier ends by itself', async (t) => {
  const server = await serveHttp(t, (_, response) => response.writeHead(404).end());
  const main = `
    import { createClassifier } from ${JSON.stringify(new URL('../../src/classifier.js', import.meta.url).href)};
    const classifier = await createClassifier({ model: process.argv[1], allowPrivateAddresses: true });
    const [best] = await classifier.classify(process.argv[2], ['fox', 'owl']);
    await classifier.classify(process.argv[3], ['fox', 'owl']).catch(({ code }) => console.log(code));
    await classifier.close();
    console.log(best.label);`;
  const args = ['--input-type=module', '--eval', main, demoModel, owl, `${server}/absent.jpg`];
  const { stdout } = await promisify(execFile)(process.execPath, args, { timeout: 60_000 });
  assert.equal(stdout, 'IMAGE_NOT_FOUND\nowl\n');
});
