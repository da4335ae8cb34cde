/** @file A panel with a heat map: rows over time, coloured by a share. Values under the cursor, keyboard, zoom. */
import { SITE_COLORS } from './curves.js';
import { css, element } from './dom.js';
import { Frame } from './frame.js';
import { percent } from './format.js';
import { lastAtMost, roundTicks } from './scale.js';

const HEIGHT = 210;
const [TOP, RIGHT, BOTTOM] = [10, 12, 26];
const WIDEST_LABEL = 128;
const LEAST_DRAG = 8;

export class HeatMap extends Frame {
  #rows = [];
  #at;
  #drag;
  #sheet = element('canvas');
  #frame = element('div', { class: 'heat-cursor', hidden: true });
  #colors;

  /** @param options {id, title, note?, axis: {range, name, onZoom, format}} */
  constructor(options) {
    super(options);
    this.canvas.classList.add('heat');
    this.canvas.append(this.#sheet, this.#frame);
    this.canvas.onkeydown = (event) => this.#key(event);
    this.canvas.onblur = () => this.#point(undefined);
    const sheet = this.#sheet;
    sheet.onpointermove = ({ offsetX, offsetY }) => this.#point(this.#cellAt(offsetX, offsetY));
    sheet.onpointerleave = () => this.#point(undefined);
    sheet.onpointerdown = ({ offsetX }) => (this.#drag = offsetX);
    sheet.onpointerup = ({ offsetX }) => this.#select(offsetX);
    sheet.ondblclick = () => options.axis.onZoom(undefined);
  }

  /** Draws rows `{label, x, shares}` from top to bottom; x ascends, a share of 1 is the deepest colour. */
  draw(rows) {
    this.#rows = rows;
    this.root.dataset.points = String(rows.reduce((sum, { x }) => sum + x.length, 0));
    this.#paint();
    this.#point(this.#at);
  }

  /** Forgets colours that may have changed. */
  repaint() {
    this.#colors = undefined;
  }

  resize() {
    if (this.#sheet.width !== Math.round(this.width * devicePixelRatio)) this.#paint();
  }

  /** The place of the cells on the sheet, in CSS pixels. */
  get #box() {
    const context = this.#sheet.getContext('2d');
    context.font = `11px ${css('--font')}`;
    const widths = this.#rows.map(({ label }) => context.measureText(label).width);
    const left = Math.min(WIDEST_LABEL, Math.max(0, ...widths)) + 8;
    return { left, top: TOP, width: Math.max(1, this.width - left - RIGHT), height: HEIGHT - TOP - BOTTOM };
  }

  #paint() {
    const context = this.#sheet.getContext('2d');
    Object.assign(this.#sheet, {
      width: Math.round(this.width * devicePixelRatio),
      height: Math.round(HEIGHT * devicePixelRatio),
    });
    Object.assign(this.#sheet.style, { width: `${this.width}px`, height: `${HEIGHT}px` });
    if (this.#rows.length === 0) return;
    context.scale(devicePixelRatio, devicePixelRatio);
    const box = this.#box;
    const [start, end] = this.options.axis.range();
    context.imageSmoothingEnabled = false;
    context.drawImage(
      this.#cells(Math.round(box.width), start, end),
      box.left,
      box.top,
      box.width,
      box.height,
    );
    context.fillStyle = css('--dim');
    context.textBaseline = 'middle';
    context.textAlign = 'right';
    const height = box.height / this.#rows.length;
    const every = Math.ceil(13 / height);
    this.#rows.forEach(({ label }, row) => {
      if (row % every === 0)
        context.fillText(label, box.left - 6, box.top + (row + 0.5) * height, WIDEST_LABEL);
    });
    context.textAlign = 'center';
    for (const tick of roundTicks(start, end, box.width / 90)) {
      const x = box.left + ((tick - start) / (end - start)) * box.width;
      context.fillText(this.options.axis.format(tick), x, HEIGHT - BOTTOM / 2);
    }
  }

  /** A pixel for each row and column. */
  #cells(width, start, end) {
    const cells = element('canvas', { width, height: this.#rows.length });
    const context = cells.getContext('2d');
    const image = context.createImageData(width, this.#rows.length);
    this.#rows.forEach(({ x, shares }, row) => {
      const last = x.at(-1);
      const beat = x.length > 1 ? (last - x[0]) / (x.length - 1) : 0;
      for (let column = 0; column < width; column++) {
        const at = start + ((column + 0.5) / width) * (end - start);
        const index = lastAtMost(x, at);
        if (index < 0 || at > last + beat || !Number.isFinite(shares[index])) continue;
        image.data.set([...this.#color(shares[index]), 255], 4 * (row * width + column));
      }
    });
    context.putImageData(image, 0, 0);
    return cells;
  }

  #color(share) {
    this.#colors ??= SITE_COLORS.map(css).map((hex) =>
      [1, 3, 5].map((at) => Number.parseInt(hex.slice(at, at + 2), 16)),
    );
    const place = Math.min(1, Math.max(0, share)) * (this.#colors.length - 1);
    const low = Math.min(this.#colors.length - 2, Math.floor(place));
    return this.#colors[low].map((from, channel) => {
      const to = this.#colors[low + 1][channel];
      return Math.round(from + (to - from) * (place - low));
    });
  }

  #cellAt(x, y) {
    const box = this.#box;
    const [start, end] = this.options.axis.range();
    const row = Math.floor(((y - box.top) / box.height) * this.#rows.length);
    const place = start + ((x - box.left) / box.width) * (end - start);
    const column = lastAtMost(this.#rows[row]?.x ?? [], place);
    return column < 0 || x > box.left + box.width ? undefined : { row, column };
  }

  /** Shows the value of a cell, or the newest of all rows. */
  #point(at) {
    const { axis } = this.options;
    const row = this.#rows[at?.row];
    const x = row?.x[at.column];
    this.#at = x === undefined ? undefined : at;
    const newest = this.#rows.map(({ label, shares }) => ({ label, value: percent(shares.at(-1)) }));
    const chips = x === undefined ? [] : [{ label: row.label, value: percent(row.shares[at.column]) }];
    this.say(chips, x === undefined ? undefined : `${axis.name()} ${axis.format(x)}`);
    if (x === undefined)
      this.readout.append(element('span', { class: 'chip' }, '0 ', element('i', { class: 'ramp' }), ' ε'));
    const summary = (x === undefined ? newest : chips).map(({ label, value }) => `${label} ${value}`);
    const where = x === undefined ? '' : ` at ${axis.name()} ${axis.format(x)}`;
    this.canvas.setAttribute('aria-label', `${this.options.title}: ${summary.join(', ')}${where}`);
    this.#mark(x);
  }

  #mark(x) {
    const box = this.#box;
    const [start, end] = this.options.axis.range();
    this.#frame.hidden = x === undefined || x < start || x > end;
    if (this.#frame.hidden) return;
    const height = box.height / this.#rows.length;
    Object.assign(this.#frame.style, {
      left: `${box.left + ((x - start) / (end - start)) * box.width - 2}px`,
      top: `${box.top + this.#at.row * height}px`,
      height: `${height}px`,
    });
  }

  #select(x) {
    const [from, to] = [this.#drag, x].sort((a, b) => a - b);
    this.#drag = undefined;
    if (!(to - from >= LEAST_DRAG)) return;
    const box = this.#box;
    const [start, end] = this.options.axis.range();
    const place = (at) =>
      start + (Math.min(box.width, Math.max(0, at - box.left)) / box.width) * (end - start);
    this.options.axis.onZoom([place(from), place(to)]);
  }

  #key(event) {
    const along = { ArrowLeft: -1, ArrowRight: 1, Home: -Infinity, End: Infinity }[event.key] ?? 0;
    const down = { ArrowUp: -1, ArrowDown: 1 }[event.key] ?? 0;
    if ((along === 0 && down === 0) || this.#rows.length === 0) return;
    event.preventDefault();
    const within = (value, count) => Math.min(count - 1, Math.max(0, value));
    const from = this.#at ?? { row: 0, column: along < 0 ? this.#rows[0].x.length : -1 };
    const row = within(from.row + down, this.#rows.length);
    const step = event.shiftKey ? 10 * along : along;
    this.#point({ row, column: within(from.column + step, this.#rows[row].x.length) });
  }
}
