/** @file A browser for tests of pages, where there is one; what a page logs or asks of other hosts is on record. */
import { existsSync } from 'node:fs';
import { chromium, type Browser, type Page } from 'playwright-core';
import { afterAll, beforeAll, expect } from 'vitest';

const executablePath = process.env['CHROMIUM_PATH'] ?? '/usr/bin/chromium';

/** Whether tests of pages must be skipped. */
export const browserMissing = !existsSync(executablePath);
if (browserMissing)
  process.stdout.write(`page tests skipped: no Chromium at ${executablePath} (set CHROMIUM_PATH)\n`);

type PageOptions = Parameters<Browser['newPage']>[0];

/** Opens pages during the tests of a `describe`. @returns the page, and what is wrong with it so far */
export function visitor(): (url: string, options?: PageOptions) => Promise<[Page, string[]]> {
  let browser: Browser;
  beforeAll(async () => {
    browser = await chromium.launch({ executablePath, args: ['--no-sandbox'] });
  });
  afterAll(() => browser.close());
  return async (url, options = {}) => {
    const page = await browser.newPage(options);
    const errors: string[] = [];
    page.on('console', (message) => message.type() === 'error' && errors.push(message.text()));
    page.on('pageerror', (error) => errors.push(String(error)));
    page.on('request', (request) => {
      if (new URL(request.url()).host !== new URL(url).host) errors.push(`foreign request ${request.url()}`);
    });
    await page.goto(url);
    return [page, errors];
  };
}

/** Points drawn in each panel that is shown, by its name. */
export const drawn = (page: Page): Promise<Record<string, number>> =>
  page.$$eval('.panel:not([hidden])', (panels) =>
    Object.fromEntries(
      panels.map((panel) => {
        const { chart, points } = (panel as unknown as { dataset: Record<string, string> }).dataset;
        return [chart ?? '', Number(points)];
      }),
    ),
  );

/** Waits until a panel has drawn so many points. */
export const points = (page: Page, chart: string, atLeast: number): Promise<void> =>
  expect
    .poll(async () => (await drawn(page))[chart] ?? 0, { timeout: 30_000 })
    .toBeGreaterThanOrEqual(atLeast);

/** How many pixels of a panel's canvas are not transparent. */
export const ink = (page: Page, chart: string): Promise<number> =>
  page.evaluate<number>(`(() => {
    const canvas = document.querySelector('.panel[data-chart="${chart}"] canvas');
    const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
    let count = 0;
    for (let at = 3; at < data.length; at += 4) if (data[at] > 0) count++;
    return count;
  })()`);
