/** @file The list of the daemon's page in a browser: who may see it, what it shows, what may be asked of runs. */
import { describe, expect, it } from 'vitest';
import { browserMissing } from '../helpers/browser.js';
import { demoMetrics } from '../monitor/demo.js';
import { row, Visitor } from './visitor.js';

/** What cannot be loaded is logged by the browser itself. */
const unexpected = (errors: readonly string[]): string[] =>
  errors.filter((error) => !error.startsWith('Failed to load resource'));

describe.skipIf(browserMissing)("the daemon's page", () => {
  const visitor = new Visitor();

  it('asks once for the token, says when it is another, keeps it in the tab alone and forgets it', async () => {
    visitor.served.submit('tiny');
    const [page, errors] = await visitor.visit();
    expect(await page.evaluate('document.activeElement.id')).toBe('token');
    await page.fill('#token', 'another');
    await page.keyboard.press('Enter');
    await page.waitForSelector('#banner:not([hidden]):text("does not know that token")');
    await page.fill('#token', visitor.served.token);
    await page.click('#login button');
    await page.waitForSelector('.run');
    expect(await page.isHidden('#banner')).toBe(true);
    await page.reload();
    await page.waitForSelector('.run');
    expect(await page.evaluate('[localStorage.length, document.cookie]')).toEqual([0, '']);
    expect(page.url()).not.toContain(visitor.served.token);
    await page.click('#forget');
    await page.waitForSelector('#login:not([hidden])');
    expect(await page.evaluate('sessionStorage.length')).toBe(0);
    expect(await page.isHidden('#page')).toBe(true);
    expect(unexpected(errors)).toEqual([]);
  });

  it('lists runs with state, progress, speed, reason and priority, and finds some of them', async () => {
    const done = await visitor.ended('done', demoMetrics(4));
    const failed = visitor.served.submit('failed').id;
    visitor.served.process(failed).end({ kind: 'fail', reason: '<img src=x onerror=alert(1)> is no model' });
    await visitor.served.machine.settle();
    const running = visitor.served.submit('first').id;
    for (const [step, time] of [
      [10, 1000],
      [20, 3000],
    ] as const)
      visitor.served.process(running).listener.metric({
        ...{ run: 'first/lat', sequence: step, time, step, kind: 'progress' },
        values: { step, steps: 40, secondsLeft: 4 },
      });
    visitor.served.submit('second');
    const waiting = visitor.served.submit('waiting').id;
    const [page, errors] = await visitor.enter();
    const names = await page.$$eval('.run b', (each) => each.map(({ textContent }) => textContent));
    expect(names).toEqual(['second', 'first', 'waiting', 'failed', 'done']);
    expect(await page.textContent(row(running, '.where'))).toMatch(/^lat 20 of 40, 5 steps\/s, 4 s left/);
    expect(await page.getAttribute(row(running, '.track'), 'aria-valuenow')).toBe('50');
    expect(await page.textContent(row(failed, '.reason'))).toBe('<img src=x onerror=alert(1)> is no model');
    expect(await page.textContent('#counts')).toContain('2 running');
    await page.fill(row(waiting, '.priority input'), '7');
    await page.keyboard.press('Tab');
    await expect.poll(() => visitor.served.machine.store.find(waiting).priority).toBe(7);
    await page.fill('#filter', 'no model');
    await expect.poll(() => page.$$eval('.run', (rows) => rows.length)).toBe(1);
    await page.fill('#filter', '');
    await page.waitForSelector(row(done));
    expect(errors).toEqual([]);
  });

  it('pauses, resumes and stops, and cancels only who confirms it', async () => {
    const { id } = visitor.served.submit('tiny');
    const [page, errors] = await visitor.enter();
    const state = (): string => visitor.served.machine.store.find(id).state;
    const press = (command: string): Promise<void> => page.click(row(id, `[data-command="${command}"]`));
    const shows = (text: string): Promise<unknown> =>
      page.waitForSelector(row(id, `.state:text-is("${text}")`));
    await press('pause');
    await shows('stopping → paused');
    await press('resume');
    await shows('stopping → queued');
    await press('stop');
    await shows('stopping → stopped');
    visitor.served.process(id).end({ kind: 'save' });
    await shows('stopped');
    expect(await page.isVisible(row(id, '[data-command="pause"]'))).toBe(false);
    await press('resume');
    await shows('running');
    await press('cancel');
    await page.click('dialog button[value="no"]');
    await press('cancel');
    await page.keyboard.press('Escape');
    expect(state()).toBe('running');
    await press('cancel');
    await page.click('dialog button[value="yes"]');
    await shows('cancelled');
    expect(await page.$$eval(row(id, '.actions button:not([hidden])'), (buttons) => buttons.length)).toBe(0);
    expect(errors).toEqual([]);
  });

  it('shows everything to who only looks, and offers nothing', async () => {
    const { id } = visitor.served.submit('tiny', demoMetrics(4));
    const waiting = visitor.served.submit('second');
    const third = visitor.served.submit('third').id;
    const [page, errors] = await visitor.enter({}, '', visitor.served.viewToken);
    await page.waitForSelector('#looks:not([hidden])');
    await page.waitForSelector(row(id, 'button[data-command="pause"][title="This token only looks"]'));
    const enabled = `.run ${'button, .priority input'.split(', ').join(':enabled, .run ')}:enabled`;
    expect(await page.$$eval(enabled, (controls) => controls.length)).toBe(0);
    expect(await page.isVisible(row(third, '.priority input'))).toBe(true);
    await page.check(row(waiting.id, 'input[type="checkbox"]'));
    await page.waitForSelector('#log-section:not([hidden])');
    expect(errors).toEqual([]);
  });

  it('says when the daemon is away, and goes on when it is back', async () => {
    visitor.served.submit('tiny');
    const [page] = await visitor.enter();
    await page.waitForSelector('#connection[data-state="live"]');
    const port = await visitor.served.away();
    await page.waitForSelector('#connection[data-state="lost"]');
    await visitor.served.open(port);
    await page.waitForSelector('#connection[data-state="live"]');
  });
});
