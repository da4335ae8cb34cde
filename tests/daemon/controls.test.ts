/** @file Every control of the daemon's page is used by a test in a browser. */
import { describe, it } from 'vitest';
import { browserMissing, points } from '../helpers/browser.js';
import { expectCovered } from '../helpers/controls.js';
import { demoMetrics } from '../monitor/demo.js';
import { streamMetrics } from '../monitor/demo-streams.js';
import { MadeUpSweep } from '../sweeps/made-up.js';
import { row, Visitor } from './visitor.js';

const TOKEN = 'page.test.ts: asks once for the token';
const LISTS = 'page.test.ts: lists runs with state';
const COMMANDS = 'page.test.ts: pauses, resumes and stops, and cancels only who confirms it';
const TOOLS = 'compare.test.ts: smooths, goes logarithmic, counts steps, tokens or time, zooms';
const KEYBOARD = 'compare.test.ts: can be used from the keyboard, on a phone, in the dark';
const SETTINGS = 'settings.test.ts: are asked for, shown as asked until they are taken';
const ANSWERS = 'compare.test.ts: shows answers with and without an attack';
const FOLDS = 'sweep-list.test.ts: are one row with state, counts and progress';
const FIGURES = 'sweep-list.test.ts: show what every cell came to by arm';
const CURVES = 'sweep-list.test.ts: compare the curves of all their cells by one press';
const WORKERS = 'workers.test.ts: shows the daemons that share the queue';
const PICKS = 'compare.test.ts: compares the curves of several runs';

describe.skipIf(browserMissing)("the daemon's page", () => {
  const visitor = new Visitor();

  it('has no control but those that a test uses', async () => {
    const metrics = demoMetrics(8);
    metrics.push(...streamMetrics('tiny/lat', 2, metrics.length));
    const { id } = visitor.served.submit('tiny', metrics);
    const sweep = await MadeUpSweep.fill(visitor.served, 'grid', 'epsilon=1,2', 'seed=0..1');
    await sweep.finish(1, demoMetrics(8));
    const cells = (await sweep.standings()).map(({ run }) => run!.id);
    const [page] = await visitor.enter({}, `#open=grid&runs=${[id, ...cells].join()}&colour=epsilon`);
    await points(page, 'defend', 10);
    await page.waitForSelector('.figures td small');
    await page.waitForSelector('#legend button');
    await page.selectOption('#colour', '');
    await page.waitForSelector('.arm');
    await page.waitForSelector('.streams .part');
    await page.waitForSelector(row(id, '.settings'));
    await expectCovered(page, 'tests/daemon', {
      '#token': TOKEN,
      'login submit': TOKEN,
      '#forget': TOKEN,
      '#filter': LISTS,
      '#all': 'long-list.test.ts: shows the first of many, and all when asked',
      'priority number': LISTS,
      live: 'long-list.test.ts: leads to the live page of a run that goes on',
      pause: COMMANDS,
      resume: COMMANDS,
      stop: COMMANDS,
      cancel: COMMANDS,
      'confirm no': COMMANDS,
      'confirm yes': COMMANDS,
      checkbox: PICKS,
      'summary of settings': SETTINGS,
      'settings learningRate': SETTINGS,
      'settings epsilon': 'settings.test.ts: offer ε to an arm with an attack',
      'settings evaluateEvery': SETTINGS,
      'settings submit': 'settings.test.ts: are not sent where they make no sense',
      'sweep-fold': FOLDS,
      'sweep-compare': CURVES,
      'sweep-runs': 'sweep-list.test.ts: show some of their runs, all when asked',
      'outcomes sweep-arm': FIGURES,
      'outcomes sort': FIGURES,
      'outcomes cell': CURVES,
      'outcomes scroll': 'sweep-list.test.ts: fit a phone, and their tables scroll by themselves',
      'summary of workers': WORKERS,
      'workers sort': WORKERS,
      'workers scroll': WORKERS,
      '#colour': CURVES,
      legend: CURVES,
      arm: KEYBOARD,
      chart: KEYBOARD,
      'choice of a panel': KEYBOARD,
      'heat map': 'compare.test.ts: shows norms against ε by site over time',
      streams: 'streams.test.ts: draws the streams of a run that goes on',
      'summary of as-table': 'streams.test.ts: draws the streams of a run that goes on',
      '#smoothing': TOOLS,
      '#log': TOOLS,
      '#over': TOOLS,
      '#zoom': TOOLS,
      '#previous': ANSWERS,
      '#following': ANSWERS,
      '#under': ANSWERS,
      skip: KEYBOARD,
      '#events': KEYBOARD,
      '#lines': KEYBOARD,
    });
  });
});
