/** @file The live page: puts feed, store and panels together, and repaints at most ten times a second. */
import { Panel } from './chart.js';
import { armCurves, attackNames, normCurves, siteNames } from './curves.js';
import { connect } from './feed.js';
import { armName, duration, number, percent, wholePercent, words } from './format.js';
import {
  drawArms,
  drawEvents,
  drawFacts,
  drawHeader,
  showConnection,
  showDescription,
  showState,
} from './page.js';
import { Store } from './store.js';

const find = (id) => document.getElementById(id);
const store = new Store();
const run = { description: undefined, state: 'starting', detail: undefined, commands: [] };
const view = { over: 'step', smoothing: 0.6, log: false, zoom: undefined };

// ---- panels -------------------------------------------------------------------------------------------------------

const axis = {
  name: () => (view.over === 'time' ? 'after' : 'step'),
  format: (value) => (view.over === 'time' ? duration(value) : number(Math.round(value))),
  onZoom(range) {
    view.zoom = range;
    repaint();
  },
  /** All panels share one x range, so that curves can be compared by eye. */
  range() {
    if (view.zoom !== undefined) return view.zoom;
    let end = 1;
    for (const { columns } of store.visible) {
      for (const { steps, seconds } of columns.values()) {
        end = Math.max(end, (view.over === 'time' ? seconds : steps).at(-1) ?? 0);
      }
    }
    return [0, end];
  },
};

const training = {
  attack: new Panel({ id: 'attack', title: 'Attack loss', note: 'what the adversary minimises', axis }),
  pool: new Panel({ id: 'pool', title: 'Suffix search', note: 'cases of the pool', axis }),
  defend: new Panel({ id: 'defend', title: 'Defence loss', note: 'under the perturbation', axis }),
  norms: new Panel({
    id: 'norms',
    title: 'Perturbation norms',
    note: 'largest of each site, bounded by ε',
    axis,
  }),
  optimizer: new Panel({ id: 'optimizer', title: 'Optimizer', axis }),
  throughput: new Panel({ id: 'throughput', title: 'Throughput', axis }),
};
for (const panel of Object.values(training)) find('training-charts').append(panel.root);

const robustness = new Map();

function robustnessPanel(name, title, note) {
  let panel = robustness.get(name);
  if (panel === undefined) {
    panel = new Panel({ id: name, title, note, axis, format: percent, tick: wholePercent, unit: true });
    robustness.set(name, panel);
    find('robustness-charts').append(panel.root);
  }
  return panel;
}

function drawRobustness() {
  const [, end] = axis.range();
  for (const { name, title } of attackNames(store)) {
    const heading = `${title.charAt(0).toUpperCase()}${title.slice(1)}: attack success`;
    const curves = armCurves(store, `evaluate/${name}`, { ...view, log: false }, { band: true, end });
    robustnessPanel(name, heading, 'lower is safer').draw(curves);
  }
  if (store.names('evaluate').includes('benignAccuracy')) {
    const curves = armCurves(store, 'evaluate/benignAccuracy', { ...view, log: false }, { band: true, end });
    robustnessPanel('benignAccuracy', 'Benign accuracy', 'higher is better').draw(curves);
  }
  find('robustness').hidden = robustness.size === 0;
}

/** Draws the chosen value of a panel; a panel without values stays away. */
function drawChoice(panel, keys, { smooth = false, log = false } = {}) {
  panel.root.hidden = keys.length === 0;
  if (keys.length === 0) return;
  panel.offer(keys, (key) => words(key.slice(key.indexOf('/') + 1)), repaint);
  const logarithmic = log && view.log;
  panel.draw(armCurves(store, panel.choice, { ...view, log: logarithmic }, { smooth }), { log: logarithmic });
}

function drawTraining() {
  const of = (kind, names) =>
    names.filter((name) => store.names(kind).includes(name)).map((name) => `${kind}/${name}`);
  const pairs = ['loss', 'toward', 'away', 'dpo', 'ipo', 'npo', 'ga'];
  drawChoice(training.attack, of('attack', pairs), { smooth: true, log: true });
  drawChoice(training.pool, of('pool', ['loss', 'firstLoss', 'meanAge', 'resets']), { log: true });
  drawChoice(training.defend, of('defend', [...pairs, 'rmu', 'retain', 'sft', 'kl']), {
    smooth: true,
    log: true,
  });
  drawChoice(training.optimizer, of('defend', ['gradientNorm', 'learningRate']));
  drawChoice(
    training.throughput,
    of('throughput', ['tokensPerSecond', 'secondsPerStep', 'residentMegabytes']),
  );
  const attacked = [...store.arms.values()].filter((arm) => siteNames(arm).length > 0).map((arm) => arm.run);
  training.norms.root.hidden = attacked.length === 0;
  if (attacked.length > 0) {
    training.norms.offer(attacked, armName, repaint);
    training.norms.draw(normCurves(store, training.norms.choice, { ...view, log: false }));
  }
  find('training').hidden = Object.values(training).every((panel) => panel.root.hidden);
}

// ---- repainting ---------------------------------------------------------------------------------------------------

let pending = false;
let painted = 0;

function repaint() {
  if (pending) return;
  pending = true;
  const wait = Math.max(0, 100 - (performance.now() - painted));
  setTimeout(() => requestAnimationFrame(paint), wait);
}

function paint() {
  pending = false;
  painted = performance.now();
  find('empty').hidden = store.count > 0;
  find('zoom').hidden = view.zoom === undefined;
  drawHeader(run, store);
  drawFacts(store);
  drawArms(store, repaint);
  drawRobustness();
  drawTraining();
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
  },
  live: repaint,
  connection: (state, seconds) => showConnection(state, seconds, run),
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
find('smoothing').oninput = (event) => {
  view.smoothing = Number(event.target.value);
  repaint();
};
find('log').onchange = (event) => {
  view.log = event.target.checked;
  repaint();
};
find('over').onchange = (event) => {
  Object.assign(view, { over: event.target.value, zoom: undefined });
  repaint();
};
find('zoom').onclick = () => axis.onZoom(undefined);
matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => {
  for (const panel of [...Object.values(training), ...robustness.values()]) panel.repaint();
  repaint();
});
