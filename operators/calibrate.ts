/**
 * @file Which sites and radii mean something for a model: residual norms, and how far an attack gets over sites, ε
 * and iterations. Knows nothing about files.
 */
import { SEGMENT, type PackedBatch } from '../datasets/index.js';
import { ops, type Definition, type Engine, type Tensor } from '../engine/index.js';
import { hiddenStates, residualOf } from '../engine/models/index.js';
import { attackLoss } from './attack/loss.js';
import { createAttack } from './attack/attack.js';
import type { AttackConfig } from './config.js';
import { feedOf, type BatchTensors } from './feed.js';
import { programName, type Model, type ModelWeights } from './model.js';
import { decoderWeights } from './objectives/pair-losses.js';

/** What is swept. */
export interface CalibrationGrid {
  readonly sites: readonly string[];
  /** Fractions of the geometric mean residual norm at the site. */
  readonly fractions: readonly number[];
  readonly iterations: readonly number[];
}

/** Geometric mean L2 norms over prompt tokens at a site. */
export interface SiteNorm {
  readonly site: string;
  /** Of the activation itself. */
  readonly activation: number;
  /** Of the residual stream after the site's block (of the embedding, for `embedding`): what fractions refer to. */
  readonly residual: number;
}

/** One attack of the sweep. */
export interface CalibrationPoint {
  readonly site: string;
  readonly fraction: number;
  readonly epsilon: number;
  readonly iterations: number;
  /** The objective at δ = 0 and after the attack. */
  readonly before: number;
  readonly after: number;
}

export interface Calibration {
  readonly norms: readonly SiteNorm[];
  readonly points: readonly CalibrationPoint[];
  /** The smallest radius, as a fraction, that takes most of what the largest one of the sweep takes. */
  readonly suggestion: CalibrationPoint | null;
}

/** Share of the largest reduction of the loss that a suggestion must reach. */
const ENOUGH = 0.8;

/**
 * Sweeps attacks over a batch.
 * @param base everything of the attack but sites, ε and iterations; its step is ε / 4 in each point.
 * @throws SITE_UNKNOWN, LABELS_MISSING
 */
export async function calibrate(
  engine: Engine,
  model: Model,
  weights: ModelWeights,
  batch: PackedBatch,
  grid: CalibrationGrid,
  base: AttackConfig,
  onPoint: (point: CalibrationPoint) => void = () => undefined,
): Promise<Calibration> {
  const norms = await siteNorms(engine, model, weights, batch, grid.sites);
  const before = await attackLoss(engine, model, base, weights, batch);
  const points: CalibrationPoint[] = [];
  for (const { site, residual } of norms)
    for (const fraction of grid.fractions)
      for (const iterations of grid.iterations) {
        const epsilon = fraction * residual;
        const config = { ...base, sites: [site], epsilon, iterations, learningRate: epsilon / 4 };
        const found = await createAttack(engine, model, config)(weights, batch, { step: 0, seed: 0 });
        const after = await attackLoss(engine, model, config, weights, batch, found.deltas);
        found.release();
        const point = { site, fraction, epsilon, iterations, before, after };
        points.push(point);
        onPoint(point);
      }
  return { norms, points, suggestion: suggest(points) };
}

/** The cheapest point that reaches {@link ENOUGH} of the best reduction: smallest fraction, then fewest iterations. */
export function suggest(points: readonly CalibrationPoint[]): CalibrationPoint | null {
  const gain = ({ before, after }: CalibrationPoint): number => before - after;
  const best = Math.max(0, ...points.map(gain));
  const enough = points.filter((point) => gain(point) > 0 && gain(point) >= ENOUGH * best);
  const order = (a: CalibrationPoint, b: CalibrationPoint): number =>
    a.fraction - b.fraction || a.iterations - b.iterations || gain(b) - gain(a);
  return [...enough].sort(order)[0] ?? null;
}

/** Geometric mean norms over prompt tokens. */
export async function siteNorms(
  engine: Engine,
  model: Model,
  weights: ModelWeights,
  batch: PackedBatch,
  sites: readonly string[],
): Promise<SiteNorm[]> {
  const wanted = [...new Set(sites.flatMap((site) => [site, residualOf(site)]))];
  const results = await engine.run(normsProgram(model, wanted), { weights, batch: feedOf(engine, batch) });
  const means = new Map<string, number>();
  const prompt = [...batch.segments.keys()].filter((at) => batch.segments[at] === SEGMENT.prompt);
  for (const site of wanted) {
    const value = results[site];
    if (!value) continue;
    const { data } = await engine.download(value);
    const logs = prompt.reduce((sum, at) => sum + Math.log(Math.max(data[at] ?? 0, 1e-12)), 0);
    means.set(site, Math.exp(logs / prompt.length));
  }
  return sites.map((site) => ({
    site,
    activation: means.get(site) ?? 0,
    residual: means.get(residualOf(site)) ?? 0,
  }));
}

type NormArgs = { readonly weights: ModelWeights<Tensor>; readonly batch: BatchTensors };

function normsProgram(
  model: Model,
  sites: readonly string[],
): Definition<NormArgs, Readonly<Record<string, Tensor>>> {
  return {
    name: programName('site-norms', model, sites),
    compute: ({ weights, batch }) => {
      const norms: Record<string, Tensor> = {};
      hiddenStates(model, decoderWeights(model, weights), batch, (site, x_BTD) => {
        if (sites.includes(site)) norms[site] = ops.sqrt(ops.sum(ops.square(x_BTD), -1));
        return x_BTD;
      });
      return norms;
    },
  };
}
