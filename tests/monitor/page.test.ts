import { describe, expect, it } from 'vitest';
import { startMonitor, type Command } from '../../monitor/index.js';
import { browserMissing, drawn, ink, points, visitor } from '../helpers/browser.js';
import { demoMetrics } from './demo.js';
import { viewerMessageFrom } from '../../monitor/protocol.js';
import { afterwards, messageIn, start } from './helpers.js';

describe.skipIf(browserMissing)('the live page', () => {
  const open = visitor();

  async function visit(...[url, options]: Parameters<typeof open>): ReturnType<typeof open> {
    const [page, errors] = await open(url, options);
    afterwards(page);
    return [page, errors];
  }

  it('draws the history, moves with new metrics, asks no other host and logs no error', async () => {
    const all = demoMetrics();
    const monitor = await start({ history: all.slice(0, 300), description: { name: 'jailbreak', seed: 3 } });
    const [page, errors] = await visit(monitor.url);
    await points(page, 'defend', 50);
    const before = await drawn(page);
    const inkBefore = await ink(page, 'prefillComply');
    expect(inkBefore).toBeGreaterThan(100);
    for (const metric of all.slice(300)) monitor.publish(metric);
    await points(page, 'defend', 322);
    await points(page, 'norms', 5 * 161);
    const after = await drawn(page);
    const names = ['directComply', 'prefillComply', 'latentComply', 'benignAccuracy'];
    const panels = ['attack', 'defend', 'norms', 'shares', 'optimizer', 'throughput'];
    expect(Object.keys(after)).toEqual([...names, ...panels]);
    for (const name of Object.keys(before)) expect(after[name], name).toBeGreaterThan(before[name]!);
    expect(await ink(page, 'prefillComply')).toBeGreaterThan(inkBefore);
    expect(await page.textContent('h1')).toBe('jailbreak');
    monitor.setState('done');
    await page.waitForSelector('#state[data-state="done"]');
    await expect.poll(() => page.title()).toBe('done · jailbreak · latstream');
    expect(errors).toEqual([]);
  });

  it('can be used from the keyboard, on a phone, in the dark', async () => {
    const monitor = await start({ history: demoMetrics(40) });
    const [page, errors] = await visit(monitor.url, {
      viewport: { width: 360, height: 740 },
      colorScheme: 'dark',
      reducedMotion: 'reduce',
    });
    await points(page, 'defend', 82);
    expect(await page.evaluate('document.documentElement.scrollWidth <= innerWidth')).toBe(true);
    const chart = page.locator('.panel[data-chart="defend"] .canvas');
    await chart.focus();
    await page.keyboard.press('Home');
    await expect.poll(() => page.textContent('.panel[data-chart="defend"] .at')).toBe('step 0');
    await page.keyboard.press('ArrowRight');
    await expect.poll(() => page.textContent('.panel[data-chart="defend"] .at')).toBe('step 1');
    await page.locator('.panel[data-chart="defend"] [data-choice="defend/kl"]').press('Enter');
    await page.waitForSelector('.panel[data-chart="defend"] [data-choice="defend/kl"][aria-pressed="true"]');
    await page.locator('.arm[data-run="jailbreak/refusal"]').press('Space');
    await expect.poll(async () => (await drawn(page))['defend']).toBe(41);
    for (const control of ['#log', '#over', '#smoothing']) await page.locator(control).focus();
    await page.locator('#over').selectOption('time');
    await page.locator('#log').check();
    expect(errors).toEqual([]);
  });

  it('sends commands, and asks before it stops a run', async () => {
    const seen: Command[] = [];
    const monitor = await start({
      history: demoMetrics(10),
      onCommand: (command) => {
        seen.push(command);
        monitor.setState(command === 'pause' ? 'paused' : command === 'resume' ? 'running' : 'stopping');
      },
    });
    const [page, errors] = await visit(monitor.url);
    await page.click('#pause:text("Pause")');
    await page.click('#pause:text("Resume")');
    await page.click('#stop');
    await page.click('dialog button[value="no"]');
    await page.click('#stop');
    await page.click('dialog button[value="yes"]');
    await page.waitForSelector('#state[data-state="stopping"]');
    expect(seen).toEqual(['pause', 'resume', 'stop']);
    expect(errors).toEqual([]);
  });

  it('says why when it is sent away for good, and every frame of both is one of the protocol', async () => {
    const monitor = await start({ history: demoMetrics(4), onCommand: () => undefined });
    const [page] = await visit('about:blank');
    const frames = { sent: [] as string[], received: [] as string[] };
    page.on('websocket', (socket) => {
      socket.on('framesent', ({ payload }) => frames.sent.push(String(payload)));
      socket.on('framereceived', ({ payload }) => frames.received.push(String(payload)));
    });
    await page.goto(monitor.url);
    await page.click('#pause');
    await expect.poll(() => frames.received.some((text) => text.includes('"reply"'))).toBe(true);
    expect(frames.sent.map((text) => viewerMessageFrom(text))).toMatchObject([{ command: 'pause' }]);
    for (const text of frames.received) messageIn(text);

    await page.routeWebSocket(/metrics/, (socket) => {
      expect(new URL(socket.url()).searchParams.get('version')).toBe('1');
      void socket.close({ code: 4426, reason: 'MONITOR_VERSION: this monitor speaks version 2' });
    });
    await page.reload();
    await page.waitForSelector('#connection[data-state="incompatible"]');
    expect(await page.textContent('#connection')).toBe(
      'reload this page: MONITOR_VERSION: this monitor speaks version 2',
    );
  });

  it('comes back by itself after the monitor was away, with each metric once', async () => {
    const all = demoMetrics(20);
    const first = await startMonitor({ port: 0, description: { name: 'tiny' }, history: all.slice(0, 60) });
    const [page] = await visit(first.url);
    await page.waitForSelector('html[data-metrics="60"]');
    await first.close();
    await page.waitForSelector('#connection[data-state="lost"]');
    await start({ port: Number(new URL(first.url).port), description: { name: 'tiny' }, history: all });
    await page.waitForSelector(`html[data-metrics="${all.length}"]`);
    await page.waitForSelector('#connection[data-state="live"]');
  });
});
