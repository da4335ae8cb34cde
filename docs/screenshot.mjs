/**
 * @file Takes the pictures of pages in the README.
 *
 *     node docs/screenshot.mjs http://127.0.0.1:8080/          a run that is up
 *     node docs/screenshot.mjs runs/jailbreak                  a recorded run, shown by the built monitor
 *     node docs/screenshot.mjs ~/.local/state/latstream        the page of the daemon that has this state
 *
 * Options: --out FILE (docs/live.png), --dark, --width PIXELS (1280), --height PIXELS (the whole page), --scale FACTOR (1.5),
 * --runs ID,ID (that the daemon's page compares), --settings (of its first run, unfolded). Needs a build, and Chromium:
 * CHROMIUM_PATH or /usr/bin/chromium. Exits 1 if no curve appears or the page logs an error.
 */
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { chromium } from 'playwright-core';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    out: { type: 'string', default: 'docs/live.png' },
    dark: { type: 'boolean', default: false },
    width: { type: 'string', default: '1280' },
    height: { type: 'string' },
    scale: { type: 'string', default: '1.5' },
    runs: { type: 'string', default: '' },
    settings: { type: 'boolean', default: false },
  },
});

const json = async (path) => JSON.parse(await readFile(path, 'utf8'));

/** The page to photograph, the token that it asks for, and what to close afterwards. */
async function subject(source) {
  const close = async () => undefined;
  if (/^https?:/.test(source)) return { url: source, close };
  if (existsSync(join(source, 'daemon.json'))) {
    const { url, token } = await json(join(source, 'daemon.json'));
    return { url: `${url}/#runs=${values.runs}`, token, close };
  }
  const { answersIn, metricsIn, startMonitor } = await import('../dist/monitor/index.js');
  const { describeRecipe } = await import('../dist/recipes/index.js');
  const recipe = await json(join(source, 'recipe.json'));
  const monitor = await startMonitor({
    port: 0,
    description: { ...describeRecipe(recipe), name: basename(resolve(source)) },
    history: metricsIn(join(source, 'metrics.ndjson')),
    answers: (index) => answersIn(source, index),
  });
  monitor.setState('done');
  return { url: monitor.url, close: () => monitor.close() };
}

async function drawn(page) {
  await page.waitForSelector('.panel:not([hidden])');
  const points = () =>
    page.$$eval('.panel', (panels) => panels.map((panel) => Number(panel.dataset.points ?? 0)));
  const deadline = Date.now() + 30_000;
  while (!(await points()).some((count) => count > 1)) {
    if (Date.now() > deadline) throw new Error('no curve appeared within 30 s');
    await page.waitForTimeout(100);
  }
}

async function main() {
  const source = positionals[0];
  const executablePath = process.env.CHROMIUM_PATH ?? '/usr/bin/chromium';
  if (source === undefined) throw new Error("give the address of a run, its directory, or a daemon's state");
  if (!existsSync(executablePath)) throw new Error(`no Chromium at ${executablePath}; set CHROMIUM_PATH`);
  const { url, token, close } = await subject(source);
  const browser = await chromium.launch({ executablePath, args: ['--no-sandbox'] });
  try {
    const page = await browser.newPage({
      viewport: { width: Number(values.width), height: Number(values.height ?? 900) },
      deviceScaleFactor: Number(values.scale),
      colorScheme: values.dark ? 'dark' : 'light',
      locale: 'en-GB',
    });
    const errors = [];
    page.on('console', (message) => message.type() === 'error' && errors.push(message.text()));
    page.on('pageerror', (error) => errors.push(String(error)));
    await page.goto(url);
    if (token !== undefined) {
      await page.fill('#token', token);
      await page.keyboard.press('Enter');
    }
    await drawn(page);
    if (values.settings) await page.click('.run .settings summary');
    await page.waitForTimeout(1500); // the last repaint and the progress bar's movement
    await page.screenshot({ path: values.out, fullPage: values.height === undefined });
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
