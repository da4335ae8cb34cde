/** @file The daemons of a queue on the page of one of them, in a browser. */
import type { Page } from 'playwright-core';
import { describe, expect, it } from 'vitest';
import { browserMissing } from '../helpers/browser.js';
import { Visitor } from './visitor.js';

const cells = (page: Page): Promise<string[][]> =>
  page.$$eval('#workers tbody tr', (rows) =>
    rows.map((row) =>
      [...(row as unknown as { cells: Iterable<{ textContent: string }> }).cells].map(
        ({ textContent }) => textContent,
      ),
    ),
  );

describe.skipIf(browserMissing)("the daemon's page", () => {
  const visitor = new Visitor();

  it('shows the daemons that share the queue, what they train, and when they were heard of last', async () => {
    const { id } = visitor.served.submit('tiny');
    const now = Date.now();
    const worker = (host: string, seconds: number, runs: readonly string[]): object => ({
      ...{ id: host, host, pid: 7, version: '0.1.0', parallel: 2, runs, here: host === 'hub' },
      since: new Date(now - 7_200_000).toISOString(),
      heard: new Date(now - 1000 * seconds).toISOString(),
    });
    const [page, errors] = await visitor.visit({ viewport: { width: 390, height: 844 } });
    await page.route('**/workers', async (route) => {
      const response = await route.fetch();
      const workers = [worker('hub', 1, []), worker('gpu-2', 60, [id])];
      await route.fulfill({ response, json: { workers } });
    });
    await page.fill('#token', visitor.served.token);
    await page.keyboard.press('Enter');
    await page.waitForSelector('#workers[open] tbody tr');
    expect(await page.textContent('#workers summary')).toBe('2 workers: 1 of 4 places taken');
    const [hub, other] = await cells(page);
    expect(hub?.slice(0, 4)).toEqual(['hub answers here', 'nothing', '0 of 2', 'just now']);
    expect(other?.slice(0, 3)).toEqual(['gpu-2', 'tiny', '1 of 2']);
    expect(other?.[3]).toMatch(/^1 min( \d+ s)? ago$/);
    await page.locator('#workers .sort:text-is("runs")').press('Enter');
    await page.keyboard.press('Enter');
    expect((await cells(page)).map(([host]) => host)).toEqual(['gpu-2', 'hub answers here']);
    expect(await page.evaluate('document.documentElement.scrollWidth <= innerWidth')).toBe(true);
    await page.locator('#workers .scroll').focus();
    expect(await page.evaluate('document.activeElement.ariaLabel')).toMatch(/^Those that were heard of/);
    await page.locator('#workers summary').press('Enter');
    expect(await page.isVisible('#workers table')).toBe(false);
    await page.waitForResponse('**/workers');
    expect(await page.isVisible('#workers table')).toBe(false); // whoever has folded them has folded them
    expect(errors).toEqual([]);
  });

  it('has its one worker folded', async () => {
    visitor.served.submit('tiny');
    const [page] = await visitor.enter();
    await page.waitForSelector('#workers:not([hidden])');
    expect(await page.textContent('#workers summary')).toBe('Worker: 1 of 2 places taken');
    await page.click('#workers summary');
    expect((await cells(page))[0]?.slice(1, 4)).toEqual(['tiny', '1 of 2', 'just now']);
  });
});
