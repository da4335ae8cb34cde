/** @file Shares with their intervals, models under one another by row, as SVG. Knows nothing about runs. */
import { axisOf } from './axis.js';
import { PANEL } from './chart.js';
import { colourOf, drawing, GRID, label, line, mark } from './svg.js';

export interface IntervalRow {
  readonly name: string;
  /** Values from 0 to 1. */
  readonly points: readonly {
    readonly colour: number;
    readonly estimate: number;
    readonly low: number;
    readonly high: number;
  }[];
}

export interface IntervalPanel {
  readonly title: string;
  readonly rows: readonly IntervalRow[];
}

/** At the sides: half of the names of the ends, `0 %` and `100 %`. */
const MARGIN = { left: 14, right: 20, top: 26, bottom: 24 } as const;
const [NAME, POINT, GAP] = [17, 10.5, 7];
/** Characters of a name that fit above its points. */
const FITS = 54;

export function intervalChart(panel: IntervalPanel): string {
  const { body, height } = intervalPanel(panel);
  return drawing(PANEL.width, height, `${panel.title}: shares with 95 % intervals`, body);
}

/** The panel in its own coordinates. */
export function intervalPanel({ title, rows }: IntervalPanel): {
  readonly body: string;
  readonly height: number;
} {
  const across = axisOf([], { from: MARGIN.left, to: PANEL.width - MARGIN.right, share: true });
  let y: number = MARGIN.top;
  const drawn = rows.flatMap(({ name, points }) => {
    y += NAME;
    const head = label(MARGIN.left, y - 4, name.length > FITS ? `${name.slice(0, FITS - 1)}…` : name);
    const marks = points.flatMap(({ colour, estimate, low, high }) => {
      y += POINT;
      const middle = y - POINT / 2;
      const stroke = { 'stroke-width': 2.2, 'stroke-opacity': 0.45, 'stroke-linecap': 'round' };
      return [
        line(across.at(low), middle, across.at(high), middle, colourOf(colour), stroke),
        mark(across.at(estimate), middle, colour),
      ];
    });
    y += GAP;
    return [head, ...marks];
  });
  const floor = y;
  const grid = across.ticks.flatMap(({ at, text }) => [
    line(at, MARGIN.top, at, floor, GRID),
    label(at, floor + 14, text, { 'text-anchor': 'middle' }),
  ]);
  const head = label(0, 14, title, { 'font-size': 12.5, 'font-weight': 600, fill: 'var(--text, #59616d)' });
  return { body: [head, ...grid, ...drawn].join(''), height: floor + MARGIN.bottom };
}
