/** @file Points and the line through them as an SVG of panels, in greys and a blue that read on light and on dark. No imports but the fit. */
import { linearFit, type Point } from './linear-fit.js';

export interface Panel {
  readonly title: string;
  readonly x: string;
  readonly y: string;
  /** At least two, of different x; not negative. */
  readonly points: readonly Point[];
}

const WIDTH = 300;
const HEIGHT = 240;
const MARGIN = { left: 52, right: 16, top: 34, bottom: 44 };
const INK = '#808080';
const BLUE = '#3b82f6';

/** One panel beside the other; axes begin at 0. */
export function plot(panels: readonly Panel[]): string {
  const body = panels.map((panel, at) => `<g transform="translate(${at * WIDTH} 0)">${drawn(panel)}</g>`);
  const size = `width="${panels.length * WIDTH}" height="${HEIGHT}"`;
  return (
    `<svg xmlns="http://www.w3.org/2000/svg" ${size} viewBox="0 0 ${panels.length * WIDTH} ${HEIGHT}" ` +
    `font-family="sans-serif" font-size="11" fill="${INK}">\n${body.join('\n')}\n</svg>\n`
  );
}

function drawn({ title, x, y, points }: Panel): string {
  const { slope, intercept, r_squared: r2 } = linearFit(points);
  const across = scale(
    points.map((point) => point.x),
    MARGIN.left,
    WIDTH - MARGIN.right,
  );
  const up = scale(
    points.map((point) => point.y),
    HEIGHT - MARGIN.bottom,
    MARGIN.top,
  );
  const ends = points.map((point) => point.x);
  const [from, to] = [Math.min(...ends), Math.max(...ends)];
  const line = [from, to].map((at) => [across.at(at), up.at(intercept + slope * at)] as const);
  const [left, right] = line as [readonly [number, number], readonly [number, number]];
  return [
    label(WIDTH / 2, 16, `${title}, R² = ${r2.toFixed(4)}`, 'middle', 'font-weight="bold"'),
    stroke(MARGIN.left, up.at(0), WIDTH - MARGIN.right, up.at(0), INK),
    stroke(MARGIN.left, up.at(0), MARGIN.left, MARGIN.top, INK),
    ...across.ticks.flatMap((tick) => [
      stroke(across.at(tick), up.at(0), across.at(tick), up.at(0) + 4, INK),
      label(across.at(tick), up.at(0) + 16, String(tick), 'middle'),
    ]),
    ...up.ticks.flatMap((tick) => [
      stroke(MARGIN.left - 4, up.at(tick), MARGIN.left, up.at(tick), INK),
      label(MARGIN.left - 7, up.at(tick) + 4, String(tick), 'end'),
    ]),
    label((MARGIN.left + WIDTH - MARGIN.right) / 2, HEIGHT - 8, x, 'middle'),
    label(14, HEIGHT / 2, y, 'middle', `transform="rotate(-90 14 ${HEIGHT / 2})"`),
    stroke(left[0], left[1], right[0], right[1], BLUE, 'stroke-dasharray="4 3"'),
    ...points.map(
      (point) =>
        `<circle cx="${round(across.at(point.x))}" cy="${round(up.at(point.y))}" r="3.5" fill="${BLUE}"/>`,
    ),
  ].join('\n');
}

interface Scale {
  at(value: number): number;
  readonly ticks: readonly number[];
}

/** From 0 to the next round number above the values, at most six ticks. */
function scale(values: readonly number[], start: number, end: number): Scale {
  const most = Math.max(...values, Number.MIN_VALUE);
  const power = 10 ** Math.floor(Math.log10(most / 5));
  const step = [1, 2, 5, 10].map((factor) => factor * power).find((each) => most / each <= 5) as number;
  const count = Math.ceil(most / step - 1e-9);
  const top = count * step;
  return {
    at: (value) => start + ((end - start) * value) / top,
    ticks: Array.from({ length: count + 1 }, (_, tick) => Number((tick * step).toPrecision(6))),
  };
}

function label(x: number, y: number, text: string, anchor: string, more = ''): string {
  return `<text x="${round(x)}" y="${round(y)}" text-anchor="${anchor}" ${more}>${escaped(text)}</text>`;
}

function stroke(x1: number, y1: number, x2: number, y2: number, colour: string, more = ''): string {
  return `<line x1="${round(x1)}" y1="${round(y1)}" x2="${round(x2)}" y2="${round(y2)}" stroke="${colour}" ${more}/>`;
}

function round(value: number): number {
  return Number(value.toFixed(2));
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
