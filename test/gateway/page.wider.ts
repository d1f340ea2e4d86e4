// The page at `/`, in a real browser, over a gateway and a worker.
import assert from 'node:assert/strict';
import { copyFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import type { Page } from 'playwright-core';
import { assertAccessible, openPage } from '../support/browser.ts';
import { addDemoRun, openDemoRun, runCompletes } from '../support/demoRun.ts';
import { type Fleet, pictures, startFleet } from '../support/fleet.ts';
import { startGateway } from '../support/gateway.ts';
import { pathsOf, serveHeldImages } from '../support/heldImages.ts';
import { startPoliteWorker } from '../support/politeFleet.ts';
import { until } from '../support/support.ts';

const phone = { viewport: { width: 390, height: 844 } };
const desk = { viewport: { width: 1280, height: 800 } };

/** A fleet with a worker whose root is its folder, and a gateway. */
async function startScene(t: TestContext) {
  const fleet = await startFleet(t);
  const { url } = await startGateway(fleet);
  await startPoliteWorker(fleet, '--root', fleet.folder);
  return { fleet, url };
}

const rowOf = (page: Page, run: string) => page.getByRole('row', { name: run });

async function hasText(page: Page, run: string, text: string | RegExp): Promise<void> {
  await rowOf(page, run).filter({ hasText: text }).waitFor();
}

test('a run goes from 0 to 100 % live, in the list and on its own page', async (t) => {
  const { fleet, url } = await startScene(t);
  const held = await serveHeldImages(t);
  const urls = [...pathsOf('held', 4), ...pathsOf('quick', 4)];
  const uris = await Promise.all(urls.map(held.urlAlone));
  const list = await openPage(t, url, desk);
  const one = await openPage(t, `${url}/#/runs/live`, phone);
  await addDemoRun(fleet, 'live', uris, { chunkSize: 4 });

  await hasText(list.page, 'live', '50 %');
  // From here on the list is not asked for again: what changes comes from the stream.
  await list.page.route(/\/v1\/runs$/, () => {});
  await one.page.reload();
  await one.page.getByText('50 %, 4 of 8 images').waitFor();
  held.letGo();
  await hasText(list.page, 'live', '100 %');
  await hasText(list.page, 'live', 'complete');
  await one.page.getByText('100 %, 8 of 8 images').waitFor();
  await one.page
    .getByRole('region', { name: 'Images by best label' })
    .getByRole('row', { name: /owl 8/ })
    .waitFor();
  await one.page.getByText('Rows 1 to 8.').waitFor();
  await assertAccessible(list.page);
  await assertAccessible(one.page);
  assert.deepEqual(list.said, []);
});

test('runs are filtered, chosen, paused, resumed, cancelled and retried', async (t) => {
  const { fleet, url } = await startScene(t);
  await addDemoRun(fleet, 'whole', ['late.jpg'], {});
  await runCompletes(fleet, 'whole');
  for (const name of ['one', 'two']) await (await openDemoRun(fleet, name)).close();
  const { page, said } = await openPage(t, url, desk);
  const shown = () => page.locator('tbody tr').count();
  await rowOf(page, 'whole').waitFor();
  assert.equal(await shown(), 3);

  await page.getByLabel('State').selectOption('complete');
  assert.equal(await shown(), 1);
  await page.getByLabel('State').selectOption('all');
  await page.getByLabel('Name or source').fill('tw');
  assert.equal(await shown(), 1);
  await page.getByLabel('Name or source').fill('');

  const press = (name: string) => page.getByRole('button', { name }).click();
  await page.getByLabel('Choose one').check();
  await page.getByLabel('Choose two').check();
  await press('Pause');
  await hasText(page, 'two', 'paused');
  await press('Resume');
  await hasText(page, 'one', 'open');
  await press('Cancel…');
  await page.getByRole('dialog').getByText('Cancel 2 runs?').waitFor();
  await assertAccessible(page);
  await page.keyboard.press('Enter');
  assert.equal((await fleet.producer.runs.get('one'))?.state, 'open', 'the button in focus keeps the runs');
  await press('Cancel…');
  await page.getByRole('dialog').getByRole('button', { name: 'Cancel 2 runs' }).click();
  await hasText(page, 'one', 'cancelled');
  await hasText(page, 'two', 'cancelled');

  await copyFile(join(pictures, 'owl.jpg'), join(fleet.folder, 'late.jpg'));
  await page.getByLabel('Choose one').uncheck();
  await page.getByLabel('Choose whole').check();
  await press('Retry failed');
  await page
    .getByRole('alert')
    .getByText(/'two' .*cancelled/)
    .waitFor();
  await until(async () => (await fleet.producer.progress('whole')).classified === 1, 'the retry went well');
  assert.deepEqual(said, []);
});

test('a picture is labelled, and the worker that did it is listed', async (t) => {
  const { url } = await startScene(t);
  const { page, said } = await openPage(t, `${url}/#/label`, phone);
  await page.getByLabel('Labels, with commas').fill('fox, bear\nowl');
  await page.getByRole('button', { name: 'Label it' }).click();
  await page.getByText('Choose a picture or give its address.').waitFor();
  await page.getByLabel('Picture from').setInputFiles(join(pictures, 'owl.jpg'));
  await page.getByRole('button', { name: 'Label it' }).click();
  const answers = page.getByRole('region', { name: 'Labels of the picture' });
  await answers.getByRole('row', { name: /^owl 0\.\d{4}/ }).waitFor();
  assert.match((await answers.locator('tbody tr').first().textContent()) ?? '', /^owl/);
  await assertAccessible(page);

  await page.getByRole('link', { name: 'Workers' }).click();
  await page.getByText(/^1 worker, /).waitFor();
  await page.getByRole('row', { name: /demo@.* cpu / }).waitFor();
  await assertAccessible(page);
  assert.deepEqual(said, []);
});

test('what ids, messages and labels say is text, and the key is asked for once', async (t) => {
  const fleet = await startFleet(t);
  const file = join(fleet.folder, 'keys.txt');
  const key = (await fleet.run('key', 'boss', '--scopes', 'admin', '--api-keys', file)).stdout.trim();
  const { url } = await startGateway(fleet, '--api-keys', file);
  await startPoliteWorker(fleet, '--root', fleet.folder);
  const id = '<img src=x onerror=document.title="bad">';
  await addNamed(fleet, 'odd', id);
  const { page } = await openPage(t, `${url}/#/runs/odd`, desk);
  await page.getByRole('textbox', { name: 'Key' }).fill('wrong');
  await page.keyboard.press('Enter');
  await page.getByText('The gateway does not know that key.').waitFor();
  await assertAccessible(page);
  await page.getByRole('textbox', { name: 'Key' }).fill(key);
  await page.keyboard.press('Enter');
  await page.getByRole('region', { name: 'Rows' }).getByText(id).waitFor();
  await page.getByRole('region', { name: 'Failures by code' }).getByText('IMAGE_NOT_FOUND').waitFor();
  assert.equal(await page.locator('img').count(), 0);
  await page.reload();
  await page.getByRole('region', { name: 'Rows' }).getByText(id).waitFor();
  assert.equal(await page.getByRole('dialog').count(), 0);
});

async function addNamed(fleet: Fleet, name: string, id: string): Promise<void> {
  const run = await openDemoRun(fleet, name);
  await run.add([{ id, uri: 'none.jpg' }]);
  await run.seal();
  await run.close();
  await runCompletes(fleet, name);
}
