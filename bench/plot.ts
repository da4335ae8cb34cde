/** @file Measured points with the line through them, as panels of one drawing. */
import { sheet } from '../report/index.js';
import { linearFit, type Point } from './linear-fit.js';

export interface Panel {
  readonly title: string;
  readonly x: string;
  readonly y: string;
  /** At least two, of different x; not negative. */
  readonly points: readonly Point[];
}

/** Axes begin at 0. */
export function plot(panels: readonly Panel[]): string {
  return sheet({
    caption: panels.map(({ title }) => title).join('; '),
    legend: [],
    panels: panels.map(fitted),
  });
}

function fitted({ title, x, y, points }: Panel): Parameters<typeof sheet>[0]['panels'][number] {
  const { slope, intercept, r_squared: r2 } = linearFit(points);
  const ends = points.map((point) => point.x);
  const line = [Math.min(...ends), Math.max(...ends)].map((at) => ({ x: at, y: intercept + slope * at }));
  return {
    kind: 'chart',
    title: `${title}, R² = ${r2.toFixed(4)}`,
    x: `${x}; upwards: ${y}`,
    series: [
      { name: 'line', colour: 2, points: line, as: 'limit' },
      { name: 'measured', colour: 2, points, as: 'points' },
    ],
  };
}
