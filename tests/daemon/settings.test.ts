/** @file Settings of runs on the daemon's page in a browser: what may be typed, what is asked for, what is refused. */
import { appendFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { describe, expect, it } from 'vitest';
import { browserMissing } from '../helpers/browser.js';
import { demoMetrics } from '../monitor/demo.js';
import { row, Visitor } from './visitor.js';

const field = (id: string, name: string): string => row(id, `.settings [name="${name}"]`);
const press = (page: Page, id: string): Promise<void> => page.click(row(id, '.settings form button'));

describe.skipIf(browserMissing)("settings on the daemon's page", () => {
  const visitor = new Visitor();

  it('are asked for, shown as asked until they are taken, and hinted at by the recipe', async () => {
    const { id } = visitor.served.submit('tiny');
    const process = visitor.served.process(id);
    const [page, errors] = await visitor.enter();
    await page.locator(row(id, '.settings summary')).press('Enter');
    await expect.poll(() => page.getAttribute(field(id, 'learningRate'), 'placeholder')).toBe('0.003');
    expect(await page.getAttribute(field(id, 'evaluateEvery'), 'placeholder')).toBe('3');
    // The arm that is next, refusal, has no attack.
    expect(await page.getAttribute(field(id, 'epsilon'), 'placeholder')).toBe('none here');
    expect(await page.isDisabled(field(id, 'epsilon'))).toBe(true);
    await page.fill(field(id, 'learningRate'), '0.001');
    await page.fill(field(id, 'evaluateEvery'), '0');
    await page.keyboard.press('Enter');
    await page.waitForSelector(
      row(id, '.asked:text("asked: Learning rate 0.001, Steps between evaluations 0")'),
    );
    expect(process.asked).toEqual({ learningRate: 0.001, evaluateEvery: 0 });
    await expect.poll(() => page.inputValue(field(id, 'learningRate'))).toBe('');
    process.listener.changed({ learningRate: 0.001, evaluateEvery: 0 });
    await page.waitForSelector(row(id, '.asked'), { state: 'hidden' });
    expect(errors).toEqual([]);
  });

  it('offer ε to an arm with an attack', async () => {
    const { id } = visitor.served.submit('tiny');
    const { listener } = visitor.served.process(id);
    const progress = { run: 'tiny/lat', sequence: 0, time: 0, step: 1, kind: 'progress' };
    listener.metric({ ...progress, values: { step: 1, steps: 9, secondsLeft: 4 } });
    const [page] = await visitor.enter();
    await page.click(row(id, '.settings summary'));
    await expect.poll(() => page.getAttribute(field(id, 'epsilon'), 'placeholder')).toBe('1');
    await page.fill(field(id, 'epsilon'), '0.25');
    await press(page, id);
    await page.waitForSelector(row(id, '.asked:text("ε 0.25")'));
    expect(visitor.served.process(id).asked).toEqual({ epsilon: 0.25 });
  });

  it('can be changed from the keyboard alone, on a phone: the focus stays, and what was taken is hinted at', async () => {
    const metrics = demoMetrics(4).map((metric) => ({
      ...metric,
      run: metric.run.replace('jailbreak', 'tiny'),
    }));
    const { id, directory } = visitor.served.submit('tiny', metrics);
    const [page, errors] = await visitor.enter({
      ...{ viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true, colorScheme: 'dark' },
    });
    const focused = (): Promise<string> =>
      page.evaluate('document.activeElement.name ?? document.activeElement.tagName');
    const summary = page.locator(row(id, '.settings summary'));
    await summary.focus();
    await page.keyboard.press('Enter');
    await expect.poll(() => page.getAttribute(field(id, 'learningRate'), 'placeholder')).toBe('0.003');
    expect(await page.textContent(row(id, '.settings form'))).toContain('from the next step of refusal');
    await page.keyboard.press('Tab');
    expect(await focused()).toBe('learningRate');
    await page.keyboard.type('0.002');
    await page.keyboard.press('ArrowUp');
    expect(await page.inputValue(field(id, 'learningRate'))).toBe('0.002');
    await page.keyboard.press('Tab'); // over ε, which this arm has not
    expect(await focused()).toBe('evaluateEvery');
    await page.keyboard.press('Tab');
    await page.keyboard.press('Enter');
    await page.waitForSelector(row(id, '.asked[role="status"]:text("Learning rate 0.002")'));
    expect(await page.evaluate('document.activeElement.textContent')).toBe('Change');
    const said = { run: 'tiny/refusal', sequence: metrics.length, time: 1, step: 3, kind: 'settings' };
    appendFileSync(
      join(directory, 'metrics.ndjson'),
      `${JSON.stringify({ ...said, values: { learningRate: 0.002 } })}\n`,
    );
    visitor.served.process(id).listener.changed({ learningRate: 0.002 });
    await page.waitForSelector(row(id, '.asked'), { state: 'hidden' });
    await expect
      .poll(() => page.getAttribute(field(id, 'learningRate'), 'placeholder'), { timeout: 9000 })
      .toBe('0.002');
    const small = await page.$$eval(
      row(id, '.settings :is(input, button, summary)'),
      (controls) =>
        controls.filter((control) => (control as unknown as { offsetHeight: number }).offsetHeight < 34)
          .length,
    );
    expect(small).toBe(0);
    expect(await page.evaluate('document.documentElement.scrollWidth <= innerWidth')).toBe(true);
    await page.keyboard.press('Escape');
    expect(await focused()).toBe('SUMMARY');
    expect(await page.isVisible(field(id, 'learningRate'))).toBe(false);
    expect(errors).toEqual([]);
  });

  it('are not sent where they make no sense: the field says why', async () => {
    const { id } = visitor.served.submit('tiny');
    const [page, errors] = await visitor.enter();
    await page.click(row(id, '.settings summary'));
    await press(page, id);
    const said = (): Promise<string | null> => page.textContent(row(id, '.refused'));
    await expect.poll(said).toBe('Nothing to change: fill a field.');
    for (const [name, value] of [
      ['learningRate', '-1'],
      ['evaluateEvery', '2.5'],
    ] as const) {
      await page.fill(field(id, name), value);
      await press(page, id);
      await page.waitForSelector(`${field(id, name)}[aria-invalid="true"]:focus`);
      expect((await said())?.length).toBeGreaterThan(15);
      await page.fill(field(id, name), '');
    }
    expect(visitor.served.process(id).asked).toEqual({});
    expect(errors).toEqual([]);
  });

  it("show the daemon's refusal, and keep what was typed", async () => {
    const { id } = visitor.served.submit('tiny');
    const [page] = await visitor.enter();
    await page.click(row(id, '.settings summary'));
    await page.fill(field(id, 'learningRate'), '0.5');
    await page.route('**/runs/*', (route) =>
      route.request().method() === 'PATCH'
        ? route.continue({ postData: JSON.stringify({ settings: { learningRate: -0.5 } }) })
        : route.continue(),
    );
    await press(page, id);
    await expect
      .poll(() => page.textContent(row(id, '.refused')))
      .toMatch(/^expected a request as docs\/protocol\.md has it, got settings\.learningRate/);
    expect(await page.inputValue(field(id, 'learningRate'))).toBe('0.5');
  });

  it('are there to be seen by who only looks, and gone where a run is over', async () => {
    const { id } = visitor.served.submit('tiny');
    const over = await visitor.ended('over', []);
    const [page] = await visitor.enter({}, '', visitor.served.viewToken);
    await page.click(row(id, '.settings summary'));
    await expect.poll(() => page.getAttribute(field(id, 'learningRate'), 'placeholder')).toBe('0.003');
    expect(await page.isDisabled(field(id, 'learningRate'))).toBe(true);
    expect(await page.isDisabled(row(id, '.settings form button'))).toBe(true);
    expect(await page.isVisible(row(over, '.settings'))).toBe(false);
  });
});
