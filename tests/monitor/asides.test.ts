/** @file Answers and log on the live page in a browser: with and without an attack, what the run has said. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { answersIn } from '../../monitor/index.js';
import { browserMissing, visitor } from '../helpers/browser.js';
import { demoMetrics } from './demo.js';
import { afterwards, start } from './helpers.js';

describe.skipIf(browserMissing)('beside its metrics the live page', () => {
  const open = visitor();
  let directory: string;
  beforeEach(() => (directory = mkdtempSync(join(tmpdir(), 'latstream-asides-'))));
  afterEach(() => rmSync(directory, { recursive: true, force: true }));

  function answered(
    arm: string,
    said: readonly (readonly [index: number, under: string, text: string])[],
  ): void {
    mkdirSync(join(directory, arm));
    const lines = said.map(([index, under, generated]) =>
      JSON.stringify({ under, index, request: `ask ${index}`, given: 'Sure', generated, outcome: 'comply' }),
    );
    writeFileSync(join(directory, arm, 'answers.jsonl'), lines.join('\n'));
  }

  it('shows what arms answered, with and without an attack side by side, question by question', async () => {
    answered('base', [[0, 'direct', 'Of course.']]);
    answered('lat', [
      [0, 'direct', 'No.'],
      [0, 'latent', '<b>Never</b>.'],
      [0, 'prefill4', 'Not so.'],
      [1, 'direct', 'Nor this.'],
    ]);
    const monitor = await start({ history: demoMetrics(4), answers: (index) => answersIn(directory, index) });
    const [page, errors] = await open(monitor.url);
    afterwards(page);
    await page.waitForSelector('#samples:not([hidden])');
    const titles = await page.$$eval('#answers h3', (each) => each.map(({ textContent }) => textContent));
    expect(titles).toEqual(['base', 'lat']);
    const lat = (): Promise<(string | null)[]> =>
      page.$$eval('#answers article:last-child .said', (each) => each.map(({ textContent }) => textContent));
    expect(await lat()).toEqual(['SureNo.', 'Sure<b>Never</b>.']);
    await page.selectOption('#under', 'prefill4');
    expect(await lat()).toEqual(['SureNo.', 'SureNot so.']);
    await page.click('#following');
    await expect.poll(async () => (await lat())[0]).toBe('SureNor this.');
    await page.click('#previous');
    await expect.poll(async () => (await lat())[0]).toBe('SureNo.');
    expect(errors).toEqual([]);
  });

  it('shows the newest of what the run has said', async () => {
    const monitor = await start({ history: demoMetrics(2) });
    for (let line = 0; line < 300; line++) monitor.note(`line ${line}`);
    const [page, errors] = await open(monitor.url);
    afterwards(page);
    await page.waitForSelector('#log-section:not([hidden])');
    const lines = await page.$$eval('#lines li .dim', (each) => each.map(({ textContent }) => textContent));
    expect(lines).toHaveLength(200);
    expect(lines).toContain('line 299');
    monitor.note('evaluating <lat>');
    monitor.setState('stopping');
    await expect.poll(() => page.textContent('#lines li:first-child .dim')).toBe('evaluating <lat>');
    expect(errors).toEqual([]);
  });
});
