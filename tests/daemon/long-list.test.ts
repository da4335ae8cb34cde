/** @file The list of the daemon's page where it is long, and the way from it to a run's own page. */
import { describe, expect, it } from 'vitest';
import { browserMissing } from '../helpers/browser.js';
import { row, Visitor } from './visitor.js';

describe.skipIf(browserMissing)("the list of the daemon's page", () => {
  const visitor = new Visitor();

  it('shows the first of many, and all when asked', async () => {
    for (let run = 0; run < 24; run++) {
      const { id } = visitor.served.submit(`run-${run}`);
      visitor.served.machine.supervisor.command(id, 'cancel');
      await visitor.served.machine.settle();
    }
    const [page, errors] = await visitor.enter();
    const rows = (): Promise<number> => page.$$eval('.run', (each) => each.length);
    expect(await rows()).toBe(20);
    await page.click('#all:text-is("Show all 24")');
    expect(await rows()).toBe(24);
    await page.click('#all:text-is("Show fewer")');
    expect(await rows()).toBe(20);
    expect(errors).toEqual([]);
  });

  it('leads to the live page of a run that goes on', async () => {
    const { id } = visitor.served.submit('tiny');
    const over = await visitor.ended('over', []);
    const [page] = await visitor.enter();
    const link = page.locator(row(id, 'a.live'));
    expect(await link.getAttribute('href')).toBe('http://127.0.0.1:1/');
    expect(await link.getAttribute('rel')).toBe('noreferrer');
    expect(await page.isVisible(row(over, 'a.live'))).toBe(false);
  });
});
