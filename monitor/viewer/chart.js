/** @file A panel with curves: bands, values under the cursor, keyboard, zoom. Draws with uPlot. */
import uPlot from './uplot.js';
import { css, element } from './dom.js';
import { Frame } from './frame.js';
import { number } from './format.js';
import { lastAtMost, yRange } from './scale.js';

const HEIGHT = 210;
/** Steps of the x axis: there is nothing between two steps, two tokens. */
const WHOLE = Array.from({ length: 13 }, (_, power) => [1, 2, 5].map((each) => each * 10 ** power)).flat();
/** Curves whose intervals are also told in words; the bands of more are drawn alone. */
const MOST_INTERVALS = 4;
/** Curves whose values are told one by one; those of more by their groups, where they have any. */
const MOST_ALONE = 6;

/**
 * A curve: `{label, color, x, y, raw?, low?, high?, dash?, flat?, group?, rank?}`, where `color` names a CSS variable, `raw` is y before
 * smoothing, `low` and `high` bound the band, and `flat` says that it stands for one value.
 */
export class Panel extends Frame {
  #plot;
  #shape = '';
  #curves = [];
  #x = [];

  /** @param options {id, title, note?, format?, tick?, unit?: boolean, axis: {range, name, onZoom, format}} */
  constructor(options) {
    super({ format: number, ...options });
    this.canvas.onkeydown = (event) => this.#key(event);
    this.canvas.onblur = () => this.#leave();
  }

  /** Draws these curves. `log` asks for a logarithmic y axis. */
  draw(curves, { log = false } = {}) {
    this.#curves = curves;
    const tables = curves.map((curve) => [curve.x, ...columnsOf(curve).map(([, column]) => column)]);
    const data = tables.length === 0 ? [[]] : uPlot.join(tables);
    this.#x = data[0];
    const sparse = curves.every(({ x }) => x.length <= 60);
    const shape = JSON.stringify([
      curves.map((c) => [c.label, c.color, c.dash, isShort(c), columnsOf(c).length]),
      log,
      sparse,
    ]);
    if (this.#plot === undefined || shape !== this.#shape) {
      this.#shape = shape;
      this.#plot?.destroy();
      this.#plot = new uPlot(this.#options(curves, log, sparse), data, this.canvas);
      this.#plot.over.addEventListener('mouseleave', () => this.#leave());
      this.#plot.over.addEventListener('dblclick', () => this.options.axis.onZoom(undefined));
    } else {
      this.#plot.setData(data);
    }
    this.root.dataset.log = String(log);
    this.root.dataset.points = String(curves.reduce((sum, { x }) => sum + x.length, 0));
    this.#read();
  }

  /** Forgets the drawing, so that the next one has fresh colours. */
  repaint() {
    this.#shape = '';
  }

  #options(curves, log, sparse) {
    const { axis, unit, format, tick = format } = this.options;
    const [ink, line] = [css('--dim'), css('--grid')];
    const font = `11px ${css('--font')}`;
    const look = { stroke: ink, font, grid: { stroke: line, width: 1 }, ticks: { show: false } };
    const series = [{}];
    const bands = [];
    for (const curve of curves) {
      const color = css(curve.color);
      const from = series.length;
      for (const [name] of columnsOf(curve)) {
        const main = name === 'y';
        series.push({
          stroke: main ? color : name === 'raw' ? `${color}40` : 'transparent',
          width: main ? 2 : name === 'raw' ? 1 : 0,
          dash: main ? curve.dash : undefined,
          spanGaps: true,
          points: {
            show: main && sparse && (curve.dash === undefined || isShort(curve)),
            size: 6,
            fill: color,
            stroke: color,
          },
        });
        if (name === 'high')
          bands.push({ series: [series.length - 1, series.length - 2], fill: `${color}2e` });
      }
      if (series.length === from) series.push({});
    }
    return {
      width: this.width,
      height: HEIGHT,
      padding: [10, 12, 0, 0],
      legend: { show: false },
      cursor: {
        sync: { key: 'run', setSeries: false, scales: ['x', null] },
        drag: { x: true, y: false, setScale: false },
        points: { size: 7, show: (plot, at) => pointOf(plot, at) },
        y: false,
      },
      scales: {
        x: { time: false, range: (plot, min, max) => axis.range(min, max) },
        y: { distr: log ? 3 : 1, range: (_, min, max) => yRange(min, max, unit, log) },
      },
      axes: [
        { ...look, size: 30, incrs: WHOLE, values: (_, ticks) => ticks.map((each) => axis.format(each)) },
        { ...look, size: 54, values: (_, ticks) => ticks.map((each) => (each === null ? '' : tick(each))) },
      ],
      series,
      bands,
      hooks: {
        setCursor: [() => this.#read()],
        setSelect: [(plot) => this.#select(plot)],
      },
    };
  }

  #select(plot) {
    const { left, width } = plot.select;
    if (width < 8) return;
    this.options.axis.onZoom([plot.posToVal(left, 'x'), plot.posToVal(left + width, 'x')]);
    plot.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
  }

  /** Shows the values at the cursor, or the newest. */
  #read() {
    if (this.#plot === undefined) return;
    const { format, axis } = this.options;
    const at = this.#plot.cursor.idx;
    const x = at === null || at === undefined ? undefined : this.#x[at];
    const read = this.#curves.map((curve) => {
      const index = x === undefined ? curve.x.length - 1 : lastAtMost(curve.x, x);
      const value = format(curve.y[index]);
      const small =
        curve.low?.[index] === undefined || this.#curves.length > MOST_INTERVALS
          ? undefined
          : ` (${format(curve.low[index])} to ${format(curve.high[index])})`;
      const { label, color, dash, group, rank } = curve;
      return { label, color, dash, group, rank, value, small, y: curve.y[index], at: curve.x[index] };
    });
    const chips = read.length > MOST_ALONE ? grouped(read, format) : read;
    this.say(chips, x === undefined ? undefined : `${axis.name()} ${axis.format(x)}`);
    const summary = chips.map(
      ({ label, value, small = '', at: place }) => `${label} ${value}${small} at ${axis.format(place)}`,
    );
    this.canvas.setAttribute('aria-label', `${this.options.title}: ${summary.join(', ') || 'no data yet'}`);
  }

  #leave() {
    this.#plot?.setCursor({ left: -10, top: -10 });
  }

  #key(event) {
    const moves = { ArrowLeft: -1, ArrowRight: 1, Home: -Infinity, End: Infinity };
    const move = moves[event.key];
    if (move === undefined || this.#plot === undefined || this.#x.length === 0) return;
    event.preventDefault();
    const last = this.#x.length - 1;
    const from = this.#plot.cursor.idx ?? (move < 0 ? last + 1 : -1);
    const to = Math.min(last, Math.max(0, from + move * (event.shiftKey ? 10 : 1)));
    this.#plot.setCursor({ left: this.#plot.valToPos(this.#x[to], 'x'), top: 20 });
  }

  resize() {
    const { width } = this;
    if (this.#plot !== undefined && width !== this.#plot.width) this.#plot.setSize({ width, height: HEIGHT });
  }
}

/** Values of one group as one, from the least to the greatest; groups by their rank. */
function grouped(chips, format) {
  const groups = Map.groupBy(chips, ({ group, label }) => group ?? label);
  const ranked = [...groups].sort(([, [a]], [, [b]]) => (a.rank ?? 0) - (b.rank ?? 0));
  return ranked.map(([label, all]) => {
    const values = all.map(({ y }) => y).filter((y) => Number.isFinite(y));
    const [least, most] = [format(Math.min(...values)), format(Math.max(...values))];
    const value = values.length === 0 ? '–' : least === most ? least : `${least} to ${most}`;
    return { ...all[0], label, value };
  });
}

/** The columns of a curve in drawing order; `low` and `high` follow each other. */
function columnsOf({ y, raw, low, high }) {
  return Object.entries({ raw, low, high, y }).filter(([, column]) => column !== undefined);
}

/** Dots would hide that a longer one is dashed. */
function isShort({ x, flat }) {
  return x.length <= 12 && !flat;
}

/** Hover points only on the curves themselves. */
function pointOf(plot, at) {
  const color = plot.series[at].stroke?.(plot, at) ?? plot.series[at]._stroke;
  const point = element('div', { class: 'u-cursor-pt' });
  const visible = plot.series[at].width >= 2;
  Object.assign(point.style, { background: visible ? color : 'transparent', width: '8px', height: '8px' });
  Object.assign(point.style, {
    marginLeft: '-4px',
    marginTop: '-4px',
    borderRadius: '50%',
    position: 'absolute',
  });
  return point;
}
