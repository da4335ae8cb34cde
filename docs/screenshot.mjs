/**
 * @file Takes the picture of the live page in the README.
 *
 *     node docs/screenshot.mjs http://127.0.0.1:8080/          a run that is up
 *     node docs/screenshot.mjs runs/jailbreak/metrics.ndjson   a recorded run, shown by the built monitor
 *
 * Options: --out FILE (docs/live.png), --dark, --width PIXELS (1280). Needs Chromium: CHROMIUM_PATH or
 * /usr/bin/chromium. Exits 1 if no curve appears or the page logs an error.
 */
import { existsSync } from 'node:fs';
import { basename, dirname, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { chromium } from 'playwright-core';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    out: { type: 'string', default: 'docs/live.png' },
    dark: { type: 'boolean', default: false },
    width: { type: 'string', default: '1280' },
  },
});

/** The page to photograph, and what to close afterwards. */
async function subject(source) {
  if (/^https?:/.test(source)) return { url: source, close: async () => undefined };
  const { metricsIn, startMonitor } = await import('../dist/monitor/index.js');
  const description = { name: basename(dirname(resolve(source))) };
  const monitor = await startMonitor({ port: 0, description, history: metricsIn(source) });
  monitor.setState('done');
  return { url: monitor.url, close: () => monitor.close() };
}

async function main() {
  const source = positionals[0];
  const executablePath = process.env.CHROMIUM_PATH ?? '/usr/bin/chromium';
  if (source === undefined) throw new Error('give the address of a run, or a metrics.ndjson');
  if (!existsSync(executablePath)) throw new Error(`no Chromium at ${executablePath}; set CHROMIUM_PATH`);
  const { url, close } = await subject(source);
  const browser = await chromium.launch({ executablePath, args: ['--no-sandbox'] });
  try {
    const page = await browser.newPage({
      viewport: { width: Number(values.width), height: 900 },
      deviceScaleFactor: 1.5,
      colorScheme: values.dark ? 'dark' : 'light',
    });
    const errors = [];
    page.on('console', (message) => message.type() === 'error' && errors.push(message.text()));
    page.on('pageerror', (error) => errors.push(String(error)));
    await page.goto(url);
    await page.waitForSelector('.panel:not([hidden])');
    const points = () =>
      page.$$eval('.panel', (panels) => panels.map((panel) => Number(panel.dataset.points ?? 0)));
    const deadline = Date.now() + 30_000;
    while (!(await points()).some((count) => count > 1)) {
      if (Date.now() > deadline) throw new Error('no curve appeared within 30 s');
      await page.waitForTimeout(100);
    }
    await page.waitForTimeout(700); // the last repaint and the progress bar's movement
    await page.screenshot({ path: values.out, fullPage: true });
    if (errors.length > 0) throw new Error(`the page logged errors:\n${errors.join('\n')}`);
    process.stdout.write(`${values.out}\n`);
  } finally {
    await browser.close();
    await close();
  }
}

main().catch((error) => {
  process.stderr.write(`screenshot: ${error.message}\n`);
  process.exitCode = 1;
});
