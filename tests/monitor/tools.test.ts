/** @file How curves are drawn on the live page, and how one finds one's way through it, in a browser. */
import type { Page } from 'playwright-core';
import { describe, expect, it } from 'vitest';
import { browserMissing, points, visitor } from '../helpers/browser.js';
import { demoMetrics } from './demo.js';
import { demoDescription } from './demo-streams.js';
import { afterwards, start } from './helpers.js';

const chart = (name: string, rest: string): string => `.panel[data-chart="${name}"] ${rest}`;

describe.skipIf(browserMissing)('the live page', () => {
  const open = visitor();

  async function visit(): Promise<[Page, string[]]> {
    const monitor = await start({ history: demoMetrics(80), description: demoDescription() });
    const [page, errors] = await open(monitor.url);
    afterwards(page);
    await points(page, 'defend', 162);
    return [page, errors];
  }

  it('smooths, goes logarithmic, counts steps or time, zooms and goes back', async () => {
    const [page, errors] = await visit();
    const canvas = page.locator(chart('defend', '.u-over'));
    await canvas.scrollIntoViewIfNeeded();
    const read = async (rest = '.at'): Promise<string | null> => {
      await page.mouse.move(2, 2);
      await canvas.hover();
      return page.textContent(chart('defend', rest));
    };
    expect(await read()).toBe('step 40');
    const smooth = await read('.readout');
    await page.locator('#smoothing').fill('0');
    await expect.poll(() => read('.readout')).not.toBe(smooth);
    await page.selectOption('#over', 'time');
    await expect.poll(() => read()).toMatch(/^after \d+ s$/);
    await page.selectOption('#over', 'step');
    await page.check('#log');
    await page.waitForSelector('.panel[data-chart="defend"][data-log="true"]');
    const map = page.locator(chart('shares', '.canvas'));
    await map.focus();
    await page.keyboard.press('Home');
    await expect.poll(() => page.textContent(chart('shares', '.at'))).toBe('step 0');
    const box = (await map.boundingBox())!;
    await page.mouse.move(box.x + 0.6 * box.width, box.y + 60);
    await page.mouse.down();
    await page.mouse.move(box.x + 0.9 * box.width, box.y + 60);
    await page.mouse.up();
    await page.waitForSelector('#zoom:not([hidden])');
    await expect.poll(() => read()).toMatch(/^step [56]\d$/);
    await page.click('#zoom');
    await expect.poll(() => read()).toBe('step 40');
    expect(errors).toEqual([]);
  });

  it('leads past the header, scrolls what is long, and shows what the run was told', async () => {
    const [page, errors] = await visit();
    await page.keyboard.press('Tab');
    expect(await page.evaluate('document.activeElement.className')).toBe('skip');
    await page.keyboard.press('Enter');
    expect(new URL(page.url()).hash).toBe('#robustness');
    for (const id of ['events', 'lines'])
      expect(await page.getAttribute(`#${id}`, 'aria-labelledby')).toMatch(/-title$/);
    await page.locator('#events').focus();
    expect(await page.evaluate('document.activeElement.id')).toBe('events');
    await page.locator('#details summary').press('Enter');
    expect(await page.textContent('#description')).toContain('recipe.attack.epsilon');
    expect(await page.textContent('#description')).not.toContain('graphs');
    expect(errors).toEqual([]);
  });
});
