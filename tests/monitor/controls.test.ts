/** @file Every control of the live page is used by a test in a browser. */
import { describe, it } from 'vitest';
import { browserMissing, points, visitor } from '../helpers/browser.js';
import { expectCovered } from '../helpers/controls.js';
import { demoMetrics } from './demo.js';
import { demoDescription, streamMetrics } from './demo-streams.js';
import { afterwards, start } from './helpers.js';

const KEYBOARD = 'page.test.ts: can be used from the keyboard, on a phone, in the dark';
const COMMANDS = 'page.test.ts: sends commands, and asks before it stops a run';
const TOOLS = 'tools.test.ts: smooths, goes logarithmic, counts steps or time, zooms and goes back';
const ANSWERS = 'asides.test.ts: shows what arms answered';
const READ = 'tools.test.ts: leads past the header, scrolls what is long, and shows what the run was told';

describe.skipIf(browserMissing)('the live page', () => {
  const open = visitor();

  it('has no control but those that a test uses', async () => {
    const history = demoMetrics(8);
    history.push(...streamMetrics('jailbreak/lat', 2, history.length));
    const description = { ...demoDescription(), name: 'jailbreak' };
    const monitor = await start({ history, description, onCommand: () => undefined });
    const [page] = await open(monitor.url);
    afterwards(page);
    await points(page, 'defend', 10);
    await page.waitForSelector('.streams .part');
    await expectCovered(page, 'tests/monitor', {
      '#pause': COMMANDS,
      '#stop': COMMANDS,
      'confirm no': COMMANDS,
      'confirm yes': COMMANDS,
      arm: KEYBOARD,
      chart: KEYBOARD,
      'choice of a panel': KEYBOARD,
      'heat map': TOOLS,
      streams: 'streams.test.ts: can be walked through from the keyboard',
      'summary of as-table': 'streams.test.ts: and read as a table',
      '#smoothing': TOOLS,
      '#log': TOOLS,
      '#over': TOOLS,
      '#zoom': TOOLS,
      '#previous': ANSWERS,
      '#following': ANSWERS,
      '#under': ANSWERS,
      skip: READ,
      '#events': READ,
      '#lines': READ,
      'summary of details': READ,
    });
  });
});
