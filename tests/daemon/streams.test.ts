/** @file The graph of a run's streams on the daemon's page, which reads it from the record. */
import { describe, expect, it } from 'vitest';
import { browserMissing } from '../helpers/browser.js';
import { streamMetrics } from '../monitor/demo-streams.js';
import { Visitor } from './visitor.js';

describe.skipIf(browserMissing)("the daemon's page", () => {
  const visitor = new Visitor();

  it('draws the streams of a run that goes on, and tells them from the keyboard and as a table', async () => {
    visitor.served.submit('tiny', streamMetrics());
    const [page, errors] = await visitor.enter();
    await page.waitForSelector('.streams .part[data-part="attack"].busy');
    const texts = await page.$$eval('.streams .part[data-part="attack"] text', (each) =>
      each.map(({ textContent }) => textContent),
    );
    expect(texts).toEqual(['attack', '3 iterations, ε 1', '9 iterations/s', '‖δ‖ up to 0.75 ε']);
    await page.locator('.streams .canvas').focus();
    await page.keyboard.press('Home');
    expect(await page.getAttribute('.streams .canvas', 'aria-label')).toMatch(
      /^Streams: harmful\.parquet 12/,
    );
    await page.click('.as-table summary');
    expect(await page.isVisible('.as-table th:text-is("checkpoint")')).toBe(true);
    expect(errors).toEqual([]);
  });
});
