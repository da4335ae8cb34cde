/** @file The panels of a page: which there are, what each of them shows, and the x axis that they share. */
import { Panel } from './chart.js';
import { armCurves, attackNames, extent, normCurves, normShares, siteColumns } from './curves.js';
import { compact, duration, number, percent, wholePercent, words } from './format.js';
import { HeatMap } from './heat-map.js';
import { StreamGraph } from './stream-graph.js';

const find = (id) => document.getElementById(id);

const LOSSES = ['loss', 'toward', 'away', 'dpo', 'ipo', 'npo', 'ga'];
const NAMES = { step: 'step', tokens: 'tokens', time: 'after' };

/** How curves are drawn, as people have chosen; `over` is `step`, `tokens` or `time`. */
export const newView = () => ({ over: 'step', smoothing: 0.6, log: false, zoom: undefined });

/** Draws into the sections `streams`, `robustness` and `training` of the page. */
export class Board {
  #robustness = new Map();
  #streams = new StreamGraph();
  /** Whether the graph is that of the arm which was heard of last. */
  #follows = true;

  /** @param graphOf the streams of an arm, by its run, where they are known. @param repaint draws everything again, soon */
  constructor(store, view, graphOf, repaint) {
    Object.assign(this, { store, view, graphOf, repaint });
    find('streams').append(this.#streams.root);
    this.axis = {
      name: () => NAMES[view.over],
      format: (value) =>
        ({ time: duration, tokens: compact })[view.over]?.(value) ?? number(Math.round(value)),
      onZoom: (range) => {
        view.zoom = range;
        repaint();
      },
      /** All panels share one x range, so that curves can be compared by eye. */
      range: () => view.zoom ?? [0, extent(store, view.over)],
    };
    const { axis } = this;
    const norms = 'largest of each site, bounded by ε';
    this.training = {
      attack: new Panel({ id: 'attack', title: 'Attack loss', note: 'what the adversary minimises', axis }),
      pool: new Panel({ id: 'pool', title: 'Suffix search', note: 'cases of the pool', axis }),
      defend: new Panel({ id: 'defend', title: 'Defence loss', note: 'under the perturbation', axis }),
      norms: new Panel({ id: 'norms', title: 'Perturbation norms', note: norms, axis }),
      shares: new HeatMap({ id: 'shares', title: 'Norms by site', note: 'as shares of ε', axis }),
      optimizer: new Panel({ id: 'optimizer', title: 'Optimizer', axis }),
      throughput: new Panel({ id: 'throughput', title: 'Throughput', axis }),
    };
    for (const panel of Object.values(this.training)) find('training-charts').append(panel.root);
    matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => {
      for (const panel of [...Object.values(this.training), ...this.#robustness.values()]) panel.repaint();
      repaint();
    });
  }

  draw() {
    this.#drawStreams();
    this.#drawRobustness();
    this.#drawTraining();
  }

  #drawStreams() {
    const { store } = this;
    const panel = this.#streams;
    const arms = store.visible.filter(
      (arm) => arm.columns.has('stream/items/metrics') && this.graphOf(arm.run),
    );
    find('streams').hidden = panel.root.hidden = arms.length === 0;
    if (arms.length === 0) return;
    if (this.#follows) panel.choice = arms.reduce((last, arm) => (arm.time >= last.time ? arm : last)).run;
    const names = arms.map(({ run }) => run);
    panel.offer(
      names,
      (run) => store.label(run),
      () => {
        this.#follows = false;
        this.repaint();
      },
    );
    panel.draw(store, store.arms.get(panel.choice), this.graphOf(panel.choice));
  }

  #drawRobustness() {
    const { store } = this;
    const shown = new Set();
    const draw = (title, note, variants) => {
      const [{ name }] = variants;
      shown.add(name);
      const panel = this.#robustnessPanel(name, title, note);
      const names = variants.map((each) => each.name);
      panel.offer(names, (of) => variants.find((each) => each.name === of).title, this.repaint);
      const options = { band: true, end: this.axis.range()[1] };
      panel.draw(armCurves(store, `evaluate/${panel.choice}`, { ...this.view, log: false }, options));
    };
    for (const { title, variants } of attackNames(store))
      draw(`${title.charAt(0).toUpperCase()}${title.slice(1)}: attack success`, 'lower is safer', variants);
    if (store.names('evaluate').includes('benignAccuracy'))
      draw('Benign accuracy', 'higher is better', [{ name: 'benignAccuracy', title: '' }]);
    for (const [name, panel] of this.#robustness) panel.root.hidden = !shown.has(name);
    find('robustness').hidden = shown.size === 0;
  }

  #robustnessPanel(id, title, note) {
    let panel = this.#robustness.get(id);
    if (panel === undefined) {
      const { axis } = this;
      panel = new Panel({ id, title, note, axis, format: percent, tick: wholePercent, unit: true });
      this.#robustness.set(id, panel);
      find('robustness-charts').append(panel.root);
    }
    return panel;
  }

  /** Draws the chosen value of a panel; a panel without values stays away. */
  #drawChoice(panel, keys, { smooth = false, log = false } = {}) {
    panel.root.hidden = keys.length === 0;
    if (keys.length === 0) return;
    panel.offer(keys, (key) => words(key.slice(key.indexOf('/') + 1)), this.repaint);
    const logarithmic = log && this.view.log;
    const view = { ...this.view, log: logarithmic };
    panel.draw(armCurves(this.store, panel.choice, view, { smooth }), { log: logarithmic });
  }

  #drawTraining() {
    const { store, training } = this;
    const of = (kind, names) =>
      names.filter((name) => store.names(kind).includes(name)).map((name) => `${kind}/${name}`);
    const loss = { smooth: true, log: true };
    this.#drawChoice(training.attack, of('attack', LOSSES), loss);
    this.#drawChoice(training.pool, of('pool', ['loss', 'firstLoss', 'meanAge', 'resets']), { log: true });
    this.#drawChoice(training.defend, of('defend', [...LOSSES, 'rmu', 'retain', 'sft', 'kl']), loss);
    this.#drawChoice(training.optimizer, of('defend', ['gradientNorm', 'learningRate']), { log: true });
    const speed = ['tokensPerSecond', 'secondsPerStep', 'residentMegabytes'];
    this.#drawChoice(training.throughput, of('throughput', speed));
    this.#drawNorms();
    find('training').hidden = Object.values(training).every((panel) => panel.root.hidden);
  }

  #drawNorms() {
    const { store, view } = this;
    const { norms, shares } = this.training;
    const attacked = store.visible.filter((arm) => siteColumns(arm).length > 0).map((arm) => arm.run);
    for (const panel of [norms, shares]) {
      panel.root.hidden = attacked.length === 0;
      panel.offer(attacked, (run) => store.label(run), this.repaint);
    }
    if (attacked.length === 0) return;
    norms.draw(normCurves(store, norms.choice, { ...view, log: false }));
    shares.draw(normShares(store, shares.choice, view));
  }
}
