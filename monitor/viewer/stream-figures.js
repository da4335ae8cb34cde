/** @file What goes through each part of an arm's graph: rates of the last seconds, totals, and where the time goes. */
import { normShares } from './curves.js';
import { compact, number, percent } from './format.js';

/** Rates are taken over so much of the record's end. */
const WINDOW_SECONDS = 10;

const UNITS = {
  tokenize: 'rows',
  batch: 'batches',
  model: 'tokens',
  search: 'batches',
  attack: 'iterations',
  defend: 'updates',
  evaluate: 'evaluations',
  checkpoint: 'checkpoints',
  metrics: 'records',
};
const COUNTERS = { attack: 'iterations/attack', defend: 'updates/defend' };
/** What happens so rarely that its number says more than its rate. */
const RARE = ['evaluate', 'checkpoint'];

/**
 * Of each node: `{rate, total, unit, share, busy, lines}`, where `share` is the part of the last seconds that it worked, or for
 * `batch` was waited for, and `lines` are two short texts for a drawing. Undefined where nothing is known yet.
 */
export function streamFigures(store, arm, graph) {
  const column = (name) => arm.columns.get(`stream/${name}`);
  const last = (name) => column(name)?.last;
  return new Map(
    graph.nodes.map((node) => {
      const { id } = node;
      const counter = column(COUNTERS[id] ?? `items/${id}`);
      const figures = {
        unit: UNITS[id] ?? 'rows',
        rate: perSecond(counter),
        total: counter && increase(counter.values, -1),
        share: perSecond(column(`seconds/${id}`)),
        busy: last(`busy/${id}`) === 1,
      };
      return [id, { ...figures, lines: linesOf(node, figures, store, arm, last) }];
    }),
  );
}

function linesOf({ id, ahead }, { unit, rate, total, share }, store, arm, last) {
  if (total === undefined) return ['–', ''];
  const speed = `${rateText(rate)} ${unit}/s`;
  const time = share === undefined ? '' : `${percent(share)} of the time`;
  if (id === 'batch')
    return [ahead > 0 ? `${last('ready/batch') ?? 0} of ${ahead} ready` : speed, waited(share)];
  if (id === 'attack') return [speed, reach(store, arm)];
  if (id === 'defend') return [speed, `loss ${number(arm.columns.get('defend/loss')?.last)}`];
  if (RARE.includes(id)) return [`${compact(total)} done`, time];
  return [speed, `${compact(total)} ${unit}`];
}

/** How far the perturbation gets towards ε, at the site where it gets farthest. */
function reach(store, arm) {
  const shares = normShares(store, arm.run, { over: 'step' }).map(({ shares }) => shares.at(-1));
  const most = Math.max(...shares.filter(Number.isFinite));
  return Number.isFinite(most) ? `‖δ‖ up to ${number(most)} ε` : '';
}

function waited(share) {
  return share === undefined ? '' : `waited ${percent(share)}`;
}

export function rateText(rate) {
  if (rate === undefined) return '–';
  return rate >= 10_000 ? compact(rate) : number(rate);
}

/** Of a counter, over the end of its column; from the arm's beginning where it has no more than one value. */
function perSecond(column) {
  if (column === undefined || column.values.length === 0) return undefined;
  const { seconds, values } = column;
  const end = seconds.at(-1);
  const from = Math.min(
    values.length - 2,
    seconds.findLastIndex((at) => at <= end - WINDOW_SECONDS),
  );
  const elapsed = end - (from < 0 ? 0 : seconds[from]);
  return elapsed > 0 ? increase(values, from) / elapsed : undefined;
}

/** What a counter gained behind `from`; a run that was resumed counts from 0 again. */
function increase(values, from) {
  let gained = 0;
  for (let at = from + 1; at < values.length; at++) {
    const before = at === 0 ? 0 : values[at - 1];
    gained += values[at] >= before ? values[at] - before : values[at];
  }
  return gained;
}
