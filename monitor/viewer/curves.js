/** @file From columns to curves: which arms and values a panel shows, their colours, smoothing and bands. */
import { armName, words } from './format.js';

const ARM_COLORS = ['--c1', '--c2', '--c3', '--c4', '--c5', '--c6'];
const SITE_COLORS = ['--s1', '--s2', '--s3', '--s4', '--s5', '--s6', '--s7', '--s8'];

/** A colour for each arm, fixed by the order of arms; an untrained `base` is neutral. */
export function armColor(runs, run) {
  if (armName(run) === 'base') return '--c0';
  const others = runs.filter((each) => armName(each) !== 'base');
  return ARM_COLORS[others.indexOf(run) % ARM_COLORS.length];
}

/** The curves of one value, an arm each. An arm that was measured once, untrained, is a level line until `end`. */
export function armCurves(store, key, view, { smooth = false, band = false, end = 0 } = {}) {
  const runs = [...store.arms.keys()];
  const curves = [];
  for (const arm of store.visible) {
    const column = arm.columns.get(key);
    if (column === undefined) continue;
    const curve = {
      label: armName(arm.run),
      color: armColor(runs, arm.run),
      ...points(column, view, smooth),
    };
    if (band) {
      const [low, high] = [arm.columns.get(`${key}Low`), arm.columns.get(`${key}High`)];
      if (low?.values.length === column.values.length && high?.values.length === column.values.length) {
        Object.assign(curve, { low: low.values, high: high.values });
      }
    }
    curves.push(armName(arm.run) === 'base' && curve.x.length === 1 ? level(curve, end) : curve);
  }
  return curves;
}

function level(curve, end) {
  if (end <= curve.x[0]) return curve;
  const twice = (column) => column && [column[0], column[0]];
  const [y, low, high] = [curve.y, curve.low, curve.high].map(twice);
  return { ...curve, dash: [3, 4], x: [curve.x[0], end], y, low, high };
}

/** The realised norm of each attacked site of one arm, and the ε that bounds them. */
export function normCurves(store, run, view) {
  const arm = store.arms.get(run);
  if (arm === undefined || arm.hidden) return [];
  const names = siteNames(arm);
  const curves = names.map((name, index) => ({
    label: name.slice('attack/norm/'.length),
    color: SITE_COLORS[Math.round((index * (SITE_COLORS.length - 1)) / Math.max(1, names.length - 1))],
    ...points(arm.columns.get(name), view, false),
  }));
  const epsilon = arm.columns.get('attack/epsilon');
  if (epsilon !== undefined) {
    curves.push({ label: 'ε', color: '--text', dash: [6, 5], ...points(epsilon, view, false) });
  }
  return curves;
}

/** The columns with norms, in the order of the model's layers. */
export function siteNames(arm) {
  return [...arm.columns.keys()]
    .filter((key) => key.startsWith('attack/norm/'))
    .sort((a, b) => depth(a) - depth(b) || a.localeCompare(b));
}

/** The attacks that were evaluated: `prefillComply` → `{name, title}`; without bounds and benign measures. */
export function attackNames(store) {
  return store
    .names('evaluate')
    .filter((name) => /(Comply|Success)$/.test(name))
    .map((name) => ({ name, title: words(name.replace(/(Comply|Success)$/, '')) }));
}

function depth(key) {
  if (key.includes('embedding')) return -1;
  return Number(/\d+/.exec(key)?.[0] ?? Number.MAX_SAFE_INTEGER);
}

function points(column, view, smooth) {
  const x = view.over === 'time' ? column.seconds : column.steps;
  const values = view.log ? column.values.map((value) => (value > 0 ? value : null)) : column.values;
  if (!smooth || view.smoothing === 0) return { x, y: values };
  return { x, y: smoothed(values, view.smoothing), raw: values };
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
