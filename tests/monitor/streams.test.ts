/** @file The graph of a run's streams on its live page: drawn, kept up to date, told in words. */
import { describe, expect, it } from 'vitest';
import type { Page } from 'playwright-core';
import { browserMissing, visitor } from '../helpers/browser.js';
import { demoDescription, streamMetrics } from './demo-streams.js';
import { afterwards, start } from './helpers.js';

const part = (name: string): string => `.streams .part[data-part="${name}"]`;
const texts = (page: Page, name: string): Promise<(string | null)[]> =>
  page.$$eval(`${part(name)} text`, (each) => each.map(({ textContent }) => textContent));

describe.skipIf(browserMissing)('the streams on the live page', () => {
  const open = visitor();

  async function visit(options?: Parameters<typeof open>[1]): Promise<[Page, string[]]> {
    const all = streamMetrics();
    const monitor = await start({ history: all, description: demoDescription() });
    const [page, errors] = await open(monitor.url, options);
    afterwards(page);
    await page.waitForSelector(part('metrics'));
    return [page, errors];
  }

  it('show each part with its rate, what is ready, how far δ goes, and who has the batch', async () => {
    const [page, errors] = await visit();
    expect(await texts(page, 'pairs')).toEqual(['harmful.parquet', 'pairs', '12 rows/s', '144 rows']);
    expect(await texts(page, 'batch')).toEqual([
      'batch',
      '4 pairs, 4 benign',
      '1 of 2 ready',
      'waited 1.0 %',
    ]);
    expect(await texts(page, 'attack')).toEqual([
      ...['attack', '3 iterations, ε 1', '9 iterations/s', '‖δ‖ up to 0.75 ε'],
    ]);
    expect(await texts(page, 'defend')).toEqual(['defend', '2 updates', '6 updates/s', 'loss 0.75']);
    expect(await page.$$eval(`${part('batch')} .slot.full`, (slots) => slots.length)).toBe(1);
    expect(await page.getAttribute(part('attack'), 'class')).toContain('busy');
    expect(await page.getAttribute(part('defend'), 'class')).not.toContain('busy');
    expect(await page.textContent('.streams .at')).toBe('the batch is in attack');
    expect(await page.$$eval('.streams .edge', (edges) => edges.length)).toBe(11);
    expect(errors).toEqual([]);
  });

  it('move with what is measured', async () => {
    const [all, more] = [streamMetrics('tiny/lat', 12), streamMetrics('tiny/lat', 30)];
    const monitor = await start({ history: all, description: demoDescription() });
    const [page] = await open(monitor.url);
    afterwards(page);
    await page.waitForSelector(part('pairs'));
    for (const metric of more.slice(all.length)) monitor.publish(metric);
    await expect.poll(async () => (await texts(page, 'pairs'))[3]).toBe('360 rows');
  });

  it('can be walked through from the keyboard, and read as a table', async () => {
    const [page, errors] = await visit();
    const canvas = page.locator('.streams .canvas');
    await canvas.focus();
    expect(await canvas.getAttribute('aria-label')).toMatch(
      /^Streams: waiting for data 1\.0 %, attack 50\.0 %/,
    );
    await page.keyboard.press('End');
    await page.keyboard.press('Home');
    await page.keyboard.press('ArrowRight');
    expect(await canvas.getAttribute('aria-label')).toBe('Streams: benign.parquet 12 rows/s, 144 rows');
    expect(await page.textContent('.streams .readout')).toContain('rows/s 12');
    await page.locator('.as-table summary').press('Enter');
    const rows = await page.$$eval('.as-table tbody tr', (each) =>
      each.map((row) =>
        [...(row as unknown as { cells: { textContent: string }[] }).cells].map((cell) => cell.textContent),
      ),
    );
    expect(rows.find(([name]) => name === 'attack')).toEqual([
      ...['attack', '3 iterations, ε 1', '9 iterations', '108 iterations', '50.0 %'],
    ]);
    expect(errors).toEqual([]);
  });

  it('stand below each other on a phone, within its width', async () => {
    const [page] = await visit({ viewport: { width: 360, height: 740 } });
    const boxes = await page.$$eval('.streams .part .frame', (frames) =>
      frames.map(
        (frame) =>
          (frame as unknown as { getBoundingClientRect(): DOMRect })
            .getBoundingClientRect()
            .toJSON() as DOMRect,
      ),
    );
    expect(boxes).toHaveLength(10);
    for (const box of boxes) {
      expect(box.left).toBeGreaterThan(0);
      expect(box.right).toBeLessThan(360);
    }
    const overlap = boxes.filter((a, at) =>
      boxes.some(
        (b, other) =>
          other > at && a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom,
      ),
    );
    expect(overlap).toEqual([]);
    expect(await page.evaluate('document.documentElement.scrollWidth <= innerWidth')).toBe(true);
  });

  it('are those of the arm that was heard of last, until another is chosen', async () => {
    const first = streamMetrics('tiny/refusal', 3);
    const all = [...first, ...streamMetrics('tiny/lat', 6, first.length)];
    const monitor = await start({ history: all, description: demoDescription() });
    const [page] = await open(monitor.url);
    afterwards(page);
    await page.waitForSelector('.streams [data-choice="tiny/lat"][aria-pressed="true"]');
    await page.click('.streams [data-choice="tiny/refusal"]');
    await page.waitForSelector('.streams [data-choice="tiny/refusal"][aria-pressed="true"]');
    expect(await page.$(part('attack'))).toBeNull();
  });
});
