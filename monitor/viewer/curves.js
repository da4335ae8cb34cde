/** @file From columns to curves: which arms and values a panel shows, their colours, smoothing and bands. */
import { words } from './format.js';
import { along } from './scale.js';
import { isBase } from './store.js';

const ARM_COLORS = ['--c1', '--c2', '--c3', '--c4', '--c5', '--c6'];
/** For the arms behind the sixth, behind the twelfth, … */
export const DASHES = [
  [7, 4],
  [2, 3],
  [9, 3, 2, 3],
];
/** Intervals of more arms would hide the curves. */
const MOST_BANDS = 12;
export const SITE_COLORS = ['--s1', '--s2', '--s3', '--s4', '--s5', '--s6', '--s7', '--s8'];

/** The colour of one of `count` things that have an order. */
export function rampColor(at, count) {
  return SITE_COLORS[Math.round((at * (SITE_COLORS.length - 1)) / Math.max(1, count - 1))];
}

/** How an arm is drawn: as the page has said, or its colour, dashed where there are more arms than colours; an untrained `base` is neutral. */
export function armLook({ run, slot, look }) {
  if (look !== undefined) return look;
  const base = isBase(run);
  const round = base ? slot : Math.floor(slot / ARM_COLORS.length);
  const dash = round === 0 ? undefined : DASHES[(round - 1) % DASHES.length];
  return { color: base ? '--c0' : ARM_COLORS[slot % ARM_COLORS.length], dash };
}

/** The curves of one value, an arm each, in a `group` where its look has one. An arm that was measured once, untrained, is a level line until `end`. */
export function armCurves(store, key, view, { smooth = false, band = false, end = 0 } = {}) {
  const curves = [];
  for (const arm of store.visible) {
    const column = arm.columns.get(key);
    const base = isBase(arm.run) && column?.values.length === 1;
    const drawn = column && points(arm, column, base ? { ...view, over: 'step' } : view, smooth);
    if (drawn === undefined) continue;
    const curve = { label: store.label(arm.run), ...armLook(arm), ...drawn };
    if (band && store.visible.length <= MOST_BANDS) {
      const [low, high] = [arm.columns.get(`${key}Low`), arm.columns.get(`${key}High`)];
      if (low?.values.length === column.values.length && high?.values.length === column.values.length) {
        Object.assign(curve, { low: low.values, high: high.values });
      }
    }
    curves.push(base ? level(curve, end) : curve);
  }
  return curves;
}

function level(curve, end) {
  if (end <= curve.x[0]) return curve;
  const twice = (column) => column && [column[0], column[0]];
  const [y, low, high] = [curve.y, curve.low, curve.high].map(twice);
  return { ...curve, dash: [3, 4], flat: true, x: [curve.x[0], end], y, low, high };
}

/** The realised norm of each attacked site of one arm, and the ε that bounds them. */
export function normCurves(store, run, view) {
  const arm = store.arms.get(run);
  if (arm === undefined || arm.hidden) return [];
  const names = siteColumns(arm);
  const curves = names.map(({ key, site }, index) => ({
    label: site,
    color: rampColor(index, names.length),
    ...points(arm, arm.columns.get(key), view, false),
  }));
  const epsilon = arm.columns.get('attack/epsilon');
  if (epsilon !== undefined) {
    const bound = points(arm, epsilon, view, false);
    curves.push({ label: 'ε', color: '--text', dash: [6, 5], flat: true, ...bound });
  }
  return curves.filter(({ x }) => x !== undefined);
}

/** For a heat map: of each attacked site of one arm, the share of ε that its norm takes. */
export function normShares(store, run, view) {
  const epsilon = store.arms.get(run)?.columns.get('attack/epsilon');
  const curves = normCurves(store, run, { ...view, log: false }).filter(({ flat }) => !flat);
  if (epsilon === undefined) return [];
  return curves.map(({ label, x, y }) => ({
    label,
    x,
    shares: y.map((norm, at) => norm / epsilon.values[at]),
  }));
}

/**
 * The columns with the norms that ε bounds, in the order of the model's layers, as `{key, site}`. Where its space or units are
 * others than the activations', they stand under `bounded/`.
 */
export function siteColumns(arm) {
  const under = (prefix) =>
    [...arm.columns.keys()]
      .filter((key) => key.startsWith(prefix))
      .map((key) => ({ key, site: key.slice(prefix.length) }))
      .sort((a, b) => depth(a.site) - depth(b.site) || a.site.localeCompare(b.site));
  const bounded = under('attack/bounded/');
  return bounded.length > 0 ? bounded : under('attack/norm/');
}

/** Where the visible arms end on the x axis. */
export function extent(store, over) {
  let end = 1;
  for (const arm of store.visible) {
    const last = over === 'tokens' ? totals(arm).tokens : undefined;
    if (last !== undefined) end = Math.max(end, last.at(-1));
    else if (over !== 'tokens')
      for (const { steps, seconds } of arm.columns.values())
        end = Math.max(end, (over === 'time' ? seconds : steps).at(-1) ?? 0);
  }
  return end;
}

/**
 * The attacks that were evaluated, each as `{title, variants: [{name, title}]}` with names such as `prefillComply`; without bounds and
 * benign measures. What a grid has tried of an attack (`latent[layers.2.residual; 0.8]`) are variants of it.
 */
export function attackNames(store) {
  const attacks = new Map();
  for (const name of store.names('evaluate').filter((each) => /(Comply|Success)$/.test(each))) {
    const [, attack, variant] = /^([^[]*)(\[.*\])?(?:Comply|Success)$/.exec(name) ?? [];
    if (attack === undefined) continue;
    const { variants } = attacks.get(attack) ?? { variants: [] };
    variants.push({ name, title: variant?.slice(1, -1) ?? 'as configured' });
    attacks.set(attack, { title: words(attack), variants });
  }
  return [...attacks.values()];
}

function depth(site) {
  if (site.includes('embedding')) return -1;
  return Number(/\d+/.exec(site)?.[0] ?? Number.MAX_SAFE_INTEGER);
}

/** Undefined where it is not known how far along the x axis the values are. */
function points(arm, column, view, smooth) {
  const x = positions(arm, column, view.over);
  if (x === undefined) return undefined;
  const values = view.log ? column.values.map((value) => (value > 0 ? value : null)) : column.values;
  if (!smooth || view.smoothing === 0) return { x, y: values };
  return { x, y: smoothed(values, view.smoothing), raw: values };
}

function positions(arm, { steps, seconds }, over) {
  if (over === 'time') return seconds;
  if (over !== 'tokens') return steps;
  const { steps: counted, tokens } = totals(arm);
  return tokens && steps.map((step) => along(counted, tokens, step));
}

/** What went forward and back through the model until each step, as far as the arm has said. */
function totals(arm) {
  const [forward, backward] = ['forward', 'backward'].map((way) =>
    arm.columns.get(`throughput/${way}Tokens`),
  );
  if (forward === undefined || forward.values.length !== backward?.values.length) return {};
  return {
    steps: [0, ...forward.steps],
    tokens: [0, ...forward.values.map((value, at) => value + backward.values[at])],
  };
}

/** Exponential moving average, corrected for its start. */
function smoothed(values, weight) {
  let [mean, mass] = [0, 0];
  return values.map((value) => {
    if (value === null || Number.isNaN(value)) return null;
    mean = weight * mean + (1 - weight) * value;
    mass = weight * mass + (1 - weight);
    return mean / mass;
  });
}
