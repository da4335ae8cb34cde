/** @file Sweeps on the daemon's page in a browser: one row that unfolds, tables of what cells came to, and their curves. */
import type { Page } from 'playwright-core';
import { describe, expect, it } from 'vitest';
import { groupsOf, measuresOf } from '../../sweeps/outcomes.js';
import { valueText } from '../../sweeps/values.js';
import { browserMissing, points } from '../helpers/browser.js';
import { demoMetrics } from '../monitor/demo.js';
import { MadeUpSweep } from '../sweeps/made-up.js';
import { Visitor } from './visitor.js';

const sweep = (name: string, rest = ''): string => `.sweep[data-sweep="${name}"] ${rest}`.trim();
const [MEANS, CELLS] = ['.outcomes > .scroll:nth-of-type(1)', '.outcomes > .scroll:nth-of-type(2)'];

/** A table's texts, row by row, its head first. */
const table = (page: Page, name: string, which: string): Promise<string[][]> =>
  page.$$eval(sweep(name, `${which} tr`), (rows) =>
    rows.map((row) =>
      [...(row as unknown as { cells: Iterable<{ textContent: string }> }).cells].map(
        (cell) => cell.textContent,
      ),
    ),
  );

describe.skipIf(browserMissing)("sweeps on the daemon's page", () => {
  const visitor = new Visitor();

  it('are one row with state, counts and progress, which unfolds and folds from the keyboard', async () => {
    const { served } = visitor;
    const filled = await MadeUpSweep.fill(served, 'radii', 'epsilon=0.1,1', 'seed=0..1');
    await filled.finish(2);
    const alone = served.submit('alone').id;
    const [page, errors] = await visitor.enter();
    await page.waitForSelector(`.run[data-id="${alone}"]`);
    expect(await page.$$eval('#runs > li', (rows) => rows.length)).toBe(2);
    expect(await page.textContent(sweep('radii', '.where'))).toBe('2 done, 2 running');
    expect(await page.getAttribute(sweep('radii', '.run-line .track'), 'aria-valuenow')).toBe('50');
    expect(await page.textContent(sweep('radii', '.run-line .state'))).toBe('running');
    const fold = page.locator(sweep('radii', '.fold'));
    expect(await fold.getAttribute('aria-expanded')).toBe('false');
    await fold.press('Enter');
    expect(await fold.getAttribute('aria-expanded')).toBe('true');
    await page.waitForSelector(sweep('radii', '.nested .run'));
    expect(page.url()).toContain('open=radii');
    await page.reload();
    await page.waitForSelector(sweep('radii', '.nested .run'));
    await fold.press('Space');
    await page.waitForSelector(sweep('radii', '.body'), { state: 'hidden' });
    await page.fill('#filter', 'radii');
    await expect.poll(() => page.$$eval('#runs > li', (rows) => rows.length)).toBe(1);
    expect(errors).toEqual([]);
  });

  it('show what every cell came to by arm, and means over seeds as the command line has them, sorted as one likes', async () => {
    const filled = await MadeUpSweep.fill(visitor.served, 'radii', 'epsilon=0.1,1', 'seed=0..1');
    await filled.finish(3);
    const [page, errors] = await visitor.enter({}, '#open=radii');
    const means = (): Promise<string[][]> => table(page, 'radii', MEANS);
    await expect.poll(async () => (await means())[1]?.[2] ?? '', { timeout: 30_000 }).toMatch(/%/);
    const standings = await filled.standings();
    const shown = (arm: string): string[][] =>
      groupsOf(standings, arm).map(({ cell, seeds, experiment }) => [
        valueText(cell[0]!.value),
        String(seeds),
        ...measuresOf(experiment, arm).map(({ estimate, low, high }) => {
          const share = 100 * estimate;
          const [from, to] = [low, high].map((end) => (100 * end).toFixed(1));
          return `${Number.isInteger(share) ? share.toFixed(share === 100 || share === 0 ? 0 : 1) : share.toFixed(1)} % [${from}, ${to}]`;
        }),
      ]);
    expect((await means()).slice(1).map((row) => row.slice(0, 5))).toEqual(shown('lat'));
    const head = ['', 'epsilon', 'seed', 'state', 'direct: complies', 'latent: complies', 'benign: correct'];
    expect((await table(page, 'radii', CELLS))[0]).toEqual([...head, 'incoherent']);
    await page.selectOption(sweep('radii', '[name="sweep-arm"]'), 'refusal');
    await expect
      .poll(async () => (await means()).slice(1).map((row) => row.slice(0, 5)), { timeout: 30_000 })
      .toEqual(shown('refusal'));
    const latent = async (): Promise<number[]> =>
      (await table(page, 'radii', CELLS)).slice(1).map((row) => parseFloat(row[5]!));
    const before = await latent();
    await page.click(sweep('radii', `${CELLS} .sort:text-is("latent: complies")`));
    const up = before.filter((each) => !Number.isNaN(each)).sort((a, b) => a - b);
    expect(await latent()).toEqual([...up, NaN]);
    await page.keyboard.press('Enter'); // the focus has stayed
    expect(await latent()).toEqual([...up.reverse(), NaN]);
    expect(await page.getAttribute(sweep('radii', `${CELLS} [aria-sort="descending"]`), 'scope')).toBe('col');
    expect(errors).toEqual([]);
  });

  it('compare the curves of all their cells by one press, coloured by a setting whose legend hides and shows', async () => {
    const filled = await MadeUpSweep.fill(visitor.served, 'radii', 'epsilon=0.1,1', 'seed=0..1');
    await filled.finish(4, demoMetrics(8));
    visitor.served.submit('alone', demoMetrics(8));
    const [page, errors] = await visitor.enter();
    await points(page, 'defend', 18);
    await page.click(sweep('radii', '[name="sweep-compare"]'));
    await points(page, 'defend', 4 * 18);
    expect(new URL(page.url()).hash).toMatch(/^#runs=\w+(,\w+){3}&colour=epsilon$/);
    const legend = (): Promise<string[]> =>
      page.$$eval('#legend > *', (all) => all.map(({ textContent }) => textContent));
    await expect.poll(legend).toEqual(['epsilon', '0.1', '1', 'arm', 'base', 'refusal', 'lat']);
    expect(await page.isVisible('#arms')).toBe(false);
    const drawn = (): Promise<string | null> =>
      page.getAttribute('.panel[data-chart="defend"]', 'data-points');
    await page.click('#legend [data-key="value 0.1"]');
    await expect.poll(drawn).toBe('36');
    await page.locator('#legend [data-key="arm refusal"]').press('Enter');
    await expect.poll(drawn).toBe('18');
    expect(await page.textContent('.panel[data-chart="defend"] .readout')).toMatch(
      /^epsilon=1 seed=[01] · lat/,
    );
    await page.click('#legend [data-key="value 0.1"]');
    await page.click('#legend [data-key="arm refusal"]');
    await expect.poll(drawn).toBe('72');
    // More than one can read: the range of each group.
    const groups = await page.$$eval('.panel[data-chart="defend"] .chip .label', (labels) =>
      labels.map(({ textContent }) => textContent.trim()),
    );
    expect(groups).toEqual(
      ['0.1', '1'].flatMap((value) => ['refusal', 'lat'].map((arm) => `epsilon ${value} · ${arm}`)),
    );
    await page.selectOption('#colour', 'seed');
    await expect.poll(legend).toEqual(['seed', '0', '1', 'arm', 'base', 'refusal', 'lat']);
    await page.selectOption('#colour', '');
    await page.waitForSelector('#arms:not([hidden])');
    await page.click(sweep('radii', '[name="sweep-compare"]:text-is("Compare none")'));
    await page.waitForSelector('#training', { state: 'hidden' });
    await page.click(sweep('radii', '.fold'));
    await page
      .locator(sweep('radii', `${CELLS} [name="cell"]`))
      .first()
      .check();
    await points(page, 'defend', 18);
    expect(errors).toEqual([]);
  });

  it('show some of their runs, all when asked, and why figures are missing', async () => {
    const filled = await MadeUpSweep.fill(visitor.served, 'radii', 'epsilon=0.1,0.3,1,3', 'seed=0..1');
    await filled.finish(8);
    const [page] = await visitor.enter({}, '#open=radii');
    const rows = (): Promise<number> => page.$$eval(sweep('radii', '.nested .run'), (each) => each.length);
    await expect.poll(rows).toBe(3);
    await page.click(sweep('radii', '[name="sweep-runs"]:text-is("Show all 8 runs")'));
    expect(await rows()).toBe(8);
    await page.click(sweep('radii', '[name="sweep-runs"]:text-is("Show fewer runs")'));
    expect(await rows()).toBe(3);
    await page.route('**/sweeps/*', (route) => route.abort());
    await page.reload();
    await expect
      .poll(() => page.textContent(sweep('radii', '.outcomes [role="status"]')))
      .toMatch(/^Its figures could not be had: expected a daemon that answers/);
  });

  it('fit a phone, and their tables scroll by themselves', async () => {
    const filled = await MadeUpSweep.fill(visitor.served, 'radii', 'epsilon=0.1,1', 'seed=0..1');
    await filled.finish(2);
    const [page] = await visitor.enter({ viewport: { width: 390, height: 844 } }, '#open=radii');
    await page.waitForSelector(sweep('radii', `${CELLS} td small`));
    expect(await page.evaluate('document.documentElement.scrollWidth <= innerWidth')).toBe(true);
    const width = (of: string): Promise<number> =>
      page.evaluate<number>(`document.querySelector(${JSON.stringify(sweep('radii', CELLS))}).${of}`);
    expect(await width('scrollWidth')).toBeGreaterThan(await width('clientWidth'));
    await page.locator(sweep('radii', CELLS)).focus();
    await page.keyboard.press('ArrowRight');
    await expect.poll(() => width('scrollLeft')).toBeGreaterThan(0);
  });
});
