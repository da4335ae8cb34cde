/** @file A step's time against what it should be linear in: tokens, attacked sites, attack iterations. */
import { linearFit } from './linear-fit.js';
import { plot, type Panel } from './plot.js';
import { table } from './report.js';
import type { Shapes } from './shapes.js';
import { tokensOf } from './compare.js';
import { workload } from './step.js';
import { median, seconds } from './timing.js';

const REPEATS = 3;
const POINTS = 5;

/** One variant of a configuration. */
export interface ScalePoint {
  readonly x: number;
  readonly seconds: number;
  readonly all: readonly number[];
}

export interface Scaling {
  readonly title: string;
  readonly x: string;
  readonly points: readonly ScalePoint[];
  /** Seconds per unit of x, and the share of the variance that the line explains. */
  readonly slope: number;
  readonly r_squared: number;
}

interface Series {
  readonly title: string;
  readonly x: string;
  readonly variants: readonly { readonly x: number; readonly shapes: Shapes }[];
}

/** Quarters of a size, from one to five; where it is too small for that, 1 to 5. */
function sizes(size: number): number[] {
  return Array.from({ length: POINTS }, (_, at) => (size >= 4 ? Math.round((size * (at + 1)) / 4) : at + 1));
}

/** Variants of a configuration along one axis each. Sites: always the embedding, so that no layer is left out of the inner loop. */
export function seriesOf(shapes: Shapes): Series[] {
  const sites = ['embedding' as const, ...Array.from({ length: shapes.layers }, (_, layer) => layer)];
  const counts = Array.from({ length: Math.min(POINTS, sites.length) }, (_, at) => at + 1);
  return [
    {
      title: 'batch',
      x: 'tokens',
      variants: sizes(shapes.batch).map((batch) => {
        const variant = { ...shapes, batch };
        return { x: tokensOf(variant), shapes: variant };
      }),
    },
    {
      title: 'sites',
      x: 'attacked sites',
      variants: counts.map((count) => ({
        x: count,
        shapes: { ...shapes, attack_layers: sites.slice(0, count) },
      })),
    },
    {
      title: 'iterations',
      x: 'attack iterations',
      variants: sizes(shapes.attack_iterations).map((iterations) => ({
        x: iterations,
        shapes: { ...shapes, attack_iterations: iterations },
      })),
    },
  ];
}

export async function timeScaling(shapes: Shapes): Promise<Scaling[]> {
  const scalings: Scaling[] = [];
  for (const { title, x, variants } of seriesOf(shapes)) {
    const points: ScalePoint[] = [];
    for (const variant of variants) points.push({ x: variant.x, ...(await timeVariant(variant.shapes)) });
    const { slope, r_squared } = linearFit(inSeconds(points));
    scalings.push({ title, x, points, slope, r_squared });
  }
  return scalings;
}

async function timeVariant(shapes: Shapes): Promise<Pick<ScalePoint, 'seconds' | 'all'>> {
  const work = workload(shapes);
  await work.step();
  const all: number[] = [];
  for (let repeat = 0; repeat < REPEATS; repeat++) all.push(await seconds(() => work.step()));
  await work.dispose();
  return { seconds: median(all), all };
}

export function scalePlot(scalings: readonly Scaling[]): string {
  return plot(
    scalings.map(({ title, x, points }): Panel => ({
      title,
      x,
      y: 'seconds a step',
      points: inSeconds(points),
    })),
  );
}

function inSeconds(points: readonly ScalePoint[]): { x: number; y: number }[] {
  return points.map((point) => ({ x: point.x, y: point.seconds }));
}

export function describeScaling(scalings: readonly Scaling[]): string {
  return scalings
    .map(({ x, points, slope, r_squared: r2 }) =>
      [
        table([[x, 'seconds'], ...points.map((point) => [point.x, point.seconds.toFixed(4)])]),
        `${slope.toExponential(2)} s each, R² ${r2.toFixed(4)}`,
      ].join('\n'),
    )
    .join('\n\n');
}
