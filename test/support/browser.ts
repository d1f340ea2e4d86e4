// Debian's Chromium, which a test drives, with what it says on its console.
import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import type { TestContext } from 'node:test';
import { type BrowserContextOptions, chromium, type Page } from 'playwright-core';
import { neededProgram } from './wider.ts';

const axe = createRequire(import.meta.url)('axe-core') as { source: string };

/** Nothing of the browser's own goes out. */
const args = [
  '--no-sandbox',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

export interface Browsed {
  page: Page;
  /** Console messages and errors that nobody caught. */
  said: string[];
}

/** A page of a browser of the test's own. */
export async function openPage(
  t: TestContext,
  url: string,
  how: BrowserContextOptions = {},
): Promise<Browsed> {
  const executablePath = neededProgram('/usr/bin/chromium');
  const browser = await chromium.launch({ executablePath, args });
  t.after(() => browser.close());
  const context = await browser.newContext(how);
  const page = await context.newPage();
  const said: string[] = [];
  page.on('console', (message) => said.push(`${message.type()}: ${message.text()}`));
  page.on('pageerror', (error) => said.push(String(error)));
  await page.goto(url);
  return { page, said };
}

interface Violation {
  id: string;
  impact: string;
  nodes: { html: string; failureSummary: string }[];
}

/** Fails on what axe-core finds in the page as it is now and takes for serious or critical. */
export async function assertAccessible(page: Page): Promise<void> {
  // Through the debugger, because the page's policy lets in no script of others.
  const session = await page.context().newCDPSession(page);
  const run = async (expression: string) =>
    (await session.send('Runtime.evaluate', { expression, awaitPromise: true, returnByValue: true })).result
      .value;
  await run(axe.source);
  const violations = JSON.parse(
    await run('axe.run().then(({ violations }) => JSON.stringify(violations))'),
  ) as Violation[];
  await session.detach();
  const grave = violations.filter(({ impact }) => impact === 'serious' || impact === 'critical');
  const found = grave.map(
    ({ id, nodes }) => `${id}: ${nodes.map((of) => `${of.html} ${of.failureSummary}`).join('\n')}`,
  );
  assert.deepEqual(found, []);
}
