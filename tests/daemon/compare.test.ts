/** @file The curves, answers and log of the daemon's page in a browser: every control of them, from the keyboard, too. */
import { appendFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { describe, expect, it } from 'vitest';
import type { Metric } from '../../streams/index.js';
import { browserMissing, drawn, ink, points } from '../helpers/browser.js';
import { demoMetrics } from '../monitor/demo.js';
import { panel, row, Visitor } from './visitor.js';

const choose = (page: Page, id: string): Promise<void> => page.click(row(id, 'input[type=checkbox]'));

/** 500 tokens forward and as many back in each step. */
function withTokens(metrics: readonly Metric[]): Metric[] {
  return metrics.map((metric) =>
    metric.kind === 'throughput'
      ? {
          ...metric,
          values: { ...metric.values, forwardTokens: 500 * metric.step, backwardTokens: 500 * metric.step },
        }
      : metric,
  );
}

describe.skipIf(browserMissing)("runs compared on the daemon's page", () => {
  const visitor = new Visitor();

  it('compares the curves of several runs, live and over, and keeps the choice in its address', async () => {
    const over = await visitor.ended('jailbreak', demoMetrics(40));
    const all = demoMetrics(80);
    const { id: live, directory } = visitor.served.submit('jailbreak', all.slice(0, 300));
    const [page, errors] = await visitor.enter();
    await points(page, 'defend', 50);
    const alone = (await drawn(page))['defend']!;
    await choose(page, over);
    await points(page, 'defend', alone + 82);
    expect(page.url()).toContain(`#runs=${live},${over}`);
    const names = await page.$$eval('.arm b', (each) => each.map(({ textContent }) => textContent));
    expect(names).toContain(`jailbreak ${over} · lat`);
    const inkBefore = await ink(page, 'prefillComply');
    appendFileSync(
      join(directory, 'metrics.ndjson'),
      all
        .slice(300)
        .map((metric) => `${JSON.stringify(metric)}\n`)
        .join(''),
    );
    await points(page, 'defend', 162 + 82);
    expect(await ink(page, 'prefillComply')).toBeGreaterThan(inkBefore);
    await page.reload();
    await points(page, 'defend', 162 + 82);
    // A run that went back to its checkpoint.
    writeFileSync(
      join(directory, 'metrics.ndjson'),
      all
        .slice(0, 200)
        .map((metric) => `${JSON.stringify(metric)}\n`)
        .join(''),
    );
    await expect.poll(async () => (await drawn(page))['defend'], { timeout: 30_000 }).toBeLessThan(162);
    await choose(page, live);
    await expect.poll(async () => (await drawn(page))['defend'], { timeout: 30_000 }).toBe(82);
    await choose(page, over);
    await page.waitForSelector('#training', { state: 'hidden' });
    expect(errors).toEqual([]);
  });

  it('smooths, goes logarithmic, counts steps, tokens or time, zooms and goes back, and shows values', async () => {
    const id = await visitor.ended('jailbreak', withTokens(demoMetrics(60)));
    const [page, errors] = await visitor.enter({}, `#runs=${id}`);
    await points(page, 'defend', 122);
    const canvas = page.locator(panel('defend', '.u-over'));
    await canvas.scrollIntoViewIfNeeded();
    const at = async (): Promise<string | null> => {
      await page.mouse.move(2, 2);
      await canvas.hover();
      return page.textContent(panel('defend', '.at'));
    };
    expect(await at()).toBe('step 30');
    expect(await page.textContent(panel('defend', '.readout'))).toMatch(/refusal [\d.]+lat [\d.]+/);
    const before = await page.textContent(panel('defend', '.readout'));
    await page.locator('#smoothing').fill('0');
    await expect
      .poll(async () => (await at()) && (await page.textContent(panel('defend', '.readout'))))
      .not.toBe(before);
    await page.selectOption('#over', 'tokens');
    await expect.poll(at).toMatch(/^tokens 3[01](\.\d)?K$/);
    await page.selectOption('#over', 'time');
    await expect.poll(at).toMatch(/^after \d+ s$/);
    await page.selectOption('#over', 'step');
    await page.check('#log');
    await page.waitForSelector('.panel[data-chart="defend"][data-log="true"]'); // drawn anew: a drag must not fall into it
    expect(await page.isVisible('#zoom')).toBe(false);
    const box = (await canvas.boundingBox())!;
    const drag = async (from: number, to: number): Promise<void> => {
      await page.mouse.move(box.x + from * box.width, box.y + 50);
      await page.mouse.down();
      await page.mouse.move(box.x + to * box.width, box.y + 60, { steps: 4 });
      await page.mouse.up();
    };
    await drag(0.5, 0.9);
    await page.waitForSelector('#zoom:not([hidden])');
    await expect.poll(at).toBe('step 42');
    await page.click('#zoom');
    await expect.poll(at).toBe('step 30');
    expect(errors).toEqual([]);
  });

  it('shows norms against ε by site over time, under the pointer and from the keyboard', async () => {
    const id = await visitor.ended('jailbreak', demoMetrics(60));
    const [page, errors] = await visitor.enter({}, `#runs=${id}`);
    await points(page, 'shares', 4 * 61);
    expect(await ink(page, 'shares')).toBeGreaterThan(1000);
    const map = page.locator(panel('shares', '.canvas'));
    await map.focus();
    await page.keyboard.press('Home');
    await expect
      .poll(() => page.textContent(panel('shares', '.readout')))
      .toMatch(/^embedding [\d.]+ %step 0$/);
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('ArrowRight');
    await expect
      .poll(() => page.textContent(panel('shares', '.readout')))
      .toMatch(/^layers\.1\.residual [\d.]+ %step 1$/);
    expect(await map.getAttribute('aria-label')).toMatch(/layers\.1\.residual [\d.]+ % at step 1$/);
    await map.hover();
    await expect.poll(() => page.textContent(panel('shares', '.at'))).toMatch(/^step [23]\d$/);
    const box = (await map.boundingBox())!;
    await page.mouse.move(box.x + 0.6 * box.width, box.y + 60);
    await page.mouse.down();
    await page.mouse.move(box.x + 0.9 * box.width, box.y + 60);
    await page.mouse.up();
    await page.waitForSelector('#zoom:not([hidden])');
    await map.dblclick({ position: { x: box.width / 2, y: 60 } });
    await page.waitForSelector('#zoom', { state: 'hidden' });
    expect(errors).toEqual([]);
  });

  it('shows answers with and without an attack, and what happened', async () => {
    const { id, directory } = visitor.served.submit('jailbreak', demoMetrics(4));
    mkdirSync(join(directory, 'lat'));
    const said = (index: number, under: string, generated: string): string =>
      JSON.stringify({
        under,
        index,
        request: `<b>${index}</b>`,
        given: 'Sure',
        generated,
        outcome: 'refuse',
      });
    const lines = [said(0, 'direct', 'No.'), said(0, 'latent', 'Never.'), said(0, 'prefill4', 'Not so.')];
    writeFileSync(
      join(directory, 'lat', 'answers.jsonl'),
      [...lines, said(1, 'direct', 'Nor this.')].join('\n'),
    );
    visitor.served.process(id).listener.note('evaluates lat');
    const [page, errors] = await visitor.enter({}, `#runs=${id}`);
    await expect.poll(() => page.textContent('#answers')).toContain('Never.');
    expect(await page.textContent('#answers')).toContain('<b>0</b>');
    await page.selectOption('#under', 'prefill4');
    expect(await page.textContent('#answers')).toContain('Not so.');
    await page.click('#following');
    await expect.poll(() => page.textContent('#answers')).toContain('Nor this.');
    expect(await page.textContent('#question')).toBe('question 2 of 2');
    await page.click('#previous');
    await expect.poll(() => page.textContent('#answers')).toContain('No.');
    expect(await page.textContent('#lines')).toContain('evaluates lat');
    expect(await page.textContent('#lines')).toContain('then running');
    expect(errors).toEqual([]);
  });

  it('can be used from the keyboard, on a phone, in the dark', async () => {
    const id = await visitor.ended('jailbreak', demoMetrics(20));
    visitor.served.submit('a-run-whose-name-is-rather-long-and-has-no-space-in-it');
    const [page, errors] = await visitor.enter({
      ...{ viewport: { width: 390, height: 844 }, colorScheme: 'dark', reducedMotion: 'reduce' },
    });
    await page.locator(row(id, 'input[type=checkbox]')).focus();
    await page.keyboard.press('Space');
    await points(page, 'defend', 42);
    expect(await page.evaluate('document.documentElement.scrollWidth <= innerWidth')).toBe(true);
    await page.locator('.skip').focus();
    const focused = new Set<string>();
    for (let step = 0; step < 80; step++) {
      await page.keyboard.press('Tab');
      const [name, outline] = await page.evaluate<[string | null, string]>(`(() => {
        const { activeElement: at } = document;
        const name = at.id || at.dataset.command || at.closest('.panel')?.dataset.chart || at.className || at.type ||
          (at.tagName === 'SUMMARY' ? 'summary' : null);
        return [name, getComputedStyle(at).outlineStyle];
      })()`);
      if (name === null) break; // the end of the page
      focused.add(name);
      expect(outline, name).not.toBe('none');
    }
    for (const name of [
      'forget',
      'filter',
      'checkbox',
      'pause',
      'cancel',
      'defend',
      'shares',
      'smoothing',
      'log',
      'over',
    ])
      expect([...focused]).toContain(name);
    const nameless = await page.$$eval('button, input, select', (controls) =>
      controls
        .map(
          (control) =>
            control as unknown as { id: string; labels: unknown[]; ariaLabel: string; textContent: string },
        )
        .filter(({ labels, ariaLabel, textContent }) => !labels.length && !ariaLabel && !textContent.trim())
        .map(({ id: which }) => which),
    );
    expect(nameless).toEqual([]);
    expect(errors).toEqual([]);
  });
});
