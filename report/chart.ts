/** @file Curves and points over an axis, as SVG: one panel, or several on a sheet. Knows nothing about runs. */
import { axisOf, type Axis } from './axis.js';
import { colourOf, drawing, element, GRID, INK, label, line, mark, round } from './svg.js';

export interface Point {
  readonly x: number;
  readonly y: number;
  readonly low?: number;
  readonly high?: number;
}

export interface Series {
  readonly name: string;
  /** 0 for the untrained model, then arms. */
  readonly colour: number;
  readonly points: readonly Point[];
  /** `curve` with a band from low to high, `points` with whiskers, both, or a `limit`: a dashed line without marks. */
  readonly as: 'curve' | 'points' | 'both' | 'limit';
}

export interface Panel {
  readonly title: string;
  readonly x: string;
  /** Each step along x a factor; what is not positive is not drawn. */
  readonly log?: boolean;
  readonly series: readonly Series[];
  /** Values from 0 to 1, named as percentages. */
  readonly share?: boolean;
}

export const PANEL = { width: 360, height: 228 } as const;
const MARGIN = { left: 46, right: 14, top: 30, bottom: 40 } as const;
/** Marks of more points than these would be a smear. */
const MARKED = 24;

/** A drawing of one panel. */
export function chart(panel: Panel): string {
  const names = panel.series.map(({ name }) => name).join(', ');
  return drawing(PANEL.width, PANEL.height, `${panel.title}, by ${panel.x}: ${names}`, panelOf(panel));
}

/** Title, axes and series of a panel, in its own coordinates. */
export function panelOf({ title, x, log = false, series: given, share }: Panel): string {
  const series = log ? given.map(positive) : given;
  const points = series.flatMap((each) => drawable(each));
  const across = axisOf(
    points.map((point) => point.x),
    { from: MARGIN.left, to: PANEL.width - MARGIN.right, log },
  );
  const up = axisOf(
    points.flatMap(({ y, low = y, high = y }) => [y, low, high]),
    { from: PANEL.height - MARGIN.bottom, to: MARGIN.top, ...(share && { share }) },
  );
  return [
    label(0, 14, title, { 'font-size': 12.5, 'font-weight': 600, fill: 'var(--text, #59616d)' }),
    ...axes(across, up, x),
    ...series.map((each) => band(each, across, up)),
    ...series.map((each) => drawn(each, across, up)),
  ].join('');
}

function axes(across: Axis, up: Axis, x: string): string[] {
  const [left, right, floor] = [MARGIN.left, PANEL.width - MARGIN.right, PANEL.height - MARGIN.bottom];
  return [
    ...up.ticks.flatMap(({ at, text }) => [
      line(left, at, right, at, GRID),
      label(left - 7, at + 4, text, { 'text-anchor': 'end' }),
    ]),
    line(left, floor, right, floor, INK),
    ...across.ticks.flatMap(({ at, text }) => [
      line(at, floor, at, floor + 4, INK),
      label(at, floor + 16, text, { 'text-anchor': 'middle' }),
    ]),
    label((left + right) / 2, PANEL.height - 6, x, { 'text-anchor': 'middle' }),
  ];
}

function positive(series: Series): Series {
  return { ...series, points: series.points.filter(({ x }) => x > 0) };
}

/** Points that can be drawn; those of curves from left to right. */
function drawable({ points, as }: Series): Point[] {
  const finite = points.filter(({ x, y }) => Number.isFinite(x) && Number.isFinite(y));
  return as === 'points' ? finite : finite.sort((a, b) => a.x - b.x);
}

function band(series: Series, across: Axis, up: Axis): string {
  const points = drawable(series).filter(({ low, high }) => low !== undefined && high !== undefined);
  if (series.as !== 'curve' || points.length < 2) return '';
  const place = (x: number, y: number): string => `${round(across.at(x))},${round(up.at(y))}`;
  const edge = [
    ...points.map(({ x, y, high = y }) => place(x, high)),
    ...points.reverse().map(({ x, y, low = y }) => place(x, low)),
  ];
  return element('polygon', { points: edge.join(' '), fill: colourOf(series.colour), 'fill-opacity': 0.12 });
}

function drawn(series: Series, across: Axis, up: Axis): string {
  const points = drawable(series);
  const stroke = colourOf(series.colour);
  const path = points.map(({ x, y }) => `${round(across.at(x))},${round(up.at(y))}`).join(' ');
  const style =
    series.as === 'limit' ? { 'stroke-dasharray': '4 3', 'stroke-width': 1.2 } : { 'stroke-width': 1.8 };
  const curve = element('polyline', {
    points: path,
    fill: 'none',
    stroke,
    'stroke-linejoin': 'round',
    ...style,
  });
  const marks = points.flatMap((point) => {
    const [x, y] = [across.at(point.x), up.at(point.y)];
    const { low, high } = point;
    const whisker =
      series.as === 'curve' || low === undefined || high === undefined
        ? ''
        : line(x, up.at(low), x, up.at(high), stroke, { 'stroke-width': 1.4, 'stroke-opacity': 0.6 });
    return [whisker, mark(x, y, series.colour)];
  });
  const marked =
    series.as === 'points' || series.as === 'both' || (series.as === 'curve' && points.length <= MARKED);
  return [series.as === 'points' ? '' : curve, ...(marked ? marks : [])].join('');
}
