// The report of a run, as a file in a real browser.
import assert from 'node:assert/strict';
import { mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { assertAccessible, openPage } from '../../support/browser.ts';
import { copyPictures, demoModel, type Fleet, startFleet } from '../../support/fleet.ts';

const odd = '<img src=x onerror=alert(1)>&"\'';
const phone = { viewport: { width: 390, height: 844 } };
const desk = { viewport: { width: 1280, height: 800 } };

/** A run of pictures with odd names and labels, of which some failed, and its report. */
async function reported(t: TestContext): Promise<{ fleet: Fleet; url: string }> {
  const fleet = await startFleet(t);
  await copyPictures(fleet, 'pictures', 30);
  const at = (name: string) => join(fleet.folder, 'pictures', name);
  await rename(at('0000-owl.jpg'), at(`${odd.replaceAll('/', '')}.jpg`));
  await writeFile(at('broken.jpg'), 'no picture');
  const labels = ['--labels', `owl,bear,fox,"${odd.replaceAll('"', '""')}"`, '--model', demoModel];
  const labeled = await fleet.run('label', 'pictures', ...labels, '--run', 'r');
  assert.equal(labeled.code, 2, labeled.stderr);
  await rm(at('0001-car.jpg'));
  const { code, stderr } = await fleet.run('report', 'r', '-o', 'report.html');
  assert.equal(code, 0, stderr);
  assert.match(stderr, /report\.html: 31 rows, \d+ pictures, 0\.\d MB\./);
  return { fleet, url: pathToFileURL(join(fleet.folder, 'report.html')).href };
}

test('a report says what a run says, in text, and needs nothing else', async (t) => {
  const { fleet, url } = await reported(t);
  const { page, said } = await openPage(t, url, desk);
  const requests: string[] = [];
  page.on('request', (request) => requests.push(request.url()));
  await page.reload();
  await page.getByRole('heading', { name: 'Run r', exact: true }).waitFor();
  await page.getByText('31 images, 30 classified, 1 failed.').waitFor();
  const labels = page.getByRole('region', { name: 'Images by best label' });
  assert.equal((await labels.getByRole('row').count()) > 1, true);
  await page.getByRole('img', { name: /^Best scores of all images: \d+ from 0\.\d{3}/ }).waitFor();
  await page.getByRole('region', { name: 'Failures' }).getByText('IMAGE_UNSUPPORTED').waitFor();
  await page.getByText(odd).first().waitFor();
  assert.equal(await page.locator('img[src="x"], script').count(), 0);
  const loaded = await page
    .locator('.pictures img')
    .evaluateAll((images) =>
      Promise.all(images.map((image) => (image as unknown as { decode(): Promise<void> }).decode())),
    );
  assert.ok(loaded.length > 20, `${loaded.length} pictures`);
  await page
    .getByRole('region', { name: 'The run' })
    .getByText(/^demo@.*:fp32$/)
    .waitFor();
  assert.deepEqual(
    requests.filter((address) => !address.startsWith('data:')),
    [url],
  );
  assert.deepEqual(said, []);
  const again = await fleet.run('report', 'r', '-o', 'report.html');
  assert.equal(again.code, 0, again.stderr);
  await mkdir(join(fleet.folder, 'other'));
  await writeFile(join(fleet.folder, 'other/notes.html'), '<p>mine</p>');
  const refused = await fleet.run('report', 'r', '-o', 'other/notes.html');
  assert.match(refused.stderr, /USAGE: other\/notes\.html exists and is no report/);
});

test('a report is read on a phone, in the dark and without a mouse', async (t) => {
  const { url } = await reported(t);
  for (const colorScheme of ['light', 'dark'] as const)
    for (const size of [phone, desk]) {
      const { page, said } = await openPage(t, url, { ...size, colorScheme });
      await page.locator('details').evaluateAll((all) => {
        for (const each of all) each.setAttribute('open', '');
      });
      await assertAccessible(page);
      const widths = await page.evaluate('[document.documentElement.scrollWidth, innerWidth]');
      const [content, window] = widths as [number, number];
      assert.ok(content <= window, `${content} of ${window}`);
      await page.keyboard.press('Tab');
      await page.getByRole('link', { name: 'To the report' }).and(page.locator(':focus')).waitFor();
      for (let i = 0; i < 3; i++) await page.keyboard.press('Tab');
      await page.keyboard.press('Enter');
      await page.waitForURL(/#unsure$/);
      assert.deepEqual(said, []);
    }
});
