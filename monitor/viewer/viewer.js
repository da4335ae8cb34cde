/** @file The live page: puts feed, store and panels together. */
import { showAsides } from './asides.js';
import { Board, newView } from './board.js';
import { connect } from './feed.js';
import {
  drawArms,
  drawEvents,
  drawFacts,
  drawHeader,
  showConnection,
  showDescription,
  showState,
} from './page.js';
import { armName } from './format.js';
import { repainter } from './repainter.js';
import { Store } from './store.js';
import { addTools } from './tools.js';

const find = (id) => document.getElementById(id);
const store = new Store();
const run = { description: undefined, state: 'starting', detail: undefined, commands: [] };
const view = newView();
const repaint = repainter(paint);
const board = new Board(store, view, (arm) => run.description?.graphs?.[armName(arm)], repaint);
const showTools = addTools(view, repaint);
/** Whether the monitor answers. */
let live = false;
const askAsides = showAsides(() => (live ? `${run.state} ${store.newest?.run}` : undefined));

function paint() {
  find('empty').hidden = store.count > 0;
  showTools(store);
  drawHeader(run, store);
  drawFacts(store);
  drawArms(store, repaint);
  board.draw();
  drawEvents(store);
  document.documentElement.dataset.metrics = String(store.count);
}

// ---- connection and controls --------------------------------------------------------------------------------------

const feed = connect({
  hello(message, fresh) {
    if (fresh) store.clear();
    Object.assign(run, { description: message.run, commands: message.commands });
    Object.assign(run, { state: message.state, detail: message.detail });
    showDescription(message.run);
    showState(run);
    repaint();
  },
  metric(message) {
    store.add(message);
    repaint();
  },
  state(message) {
    Object.assign(run, { state: message.state, detail: message.detail });
    showState(run);
    repaint();
    askAsides();
  },
  live() {
    live = true;
    repaint();
    askAsides();
  },
  connection(state, detail) {
    live &&= state === 'live';
    showConnection(state, detail, run);
  },
});

async function order(button, command) {
  button.disabled = true;
  const reply = await feed.command(command);
  button.disabled = false;
  const banner = find('banner');
  banner.hidden = reply.ok;
  if (!reply.ok) banner.textContent = `Could not ${command}: ${reply.error}`;
}

find('pause').onclick = (event) => order(event.currentTarget, run.state === 'paused' ? 'resume' : 'pause');
find('stop').onclick = () => find('confirm').showModal();
find('confirm').onclose = () => {
  if (find('confirm').returnValue === 'yes') void order(find('stop'), 'stop');
  find('confirm').returnValue = '';
};
