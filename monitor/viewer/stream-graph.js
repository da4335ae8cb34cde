/** @file The panel with the streams of an arm, drawn live: parts, rates, what waits for whom. A table says the same. */
import { element, setText, shape } from './dom.js';
import { compact, percent, words } from './format.js';
import { Frame } from './frame.js';
import { rateText, streamFigures } from './stream-figures.js';
import { layOut, pathOf } from './stream-layout.js';

/** Characters of the two sizes of text that fit into a pixel of width. */
const LETTERS = { large: 0.135, small: 0.158 };
const BACK = { weights: 'weights', credit: 'credit: one batch in flight' };
const COLUMNS = ['Part', 'What it is', 'Per second', 'Done', 'Of the time'];

export class StreamGraph extends Frame {
  #drawn = '';
  #graph;
  #figures = new Map();
  #boxes = new Map();
  #chosen;
  #rows = new Map();
  #sheet = element('tbody');

  constructor() {
    super({ id: 'streams', title: 'Streams', note: 'what each part did in the last seconds' });
    this.root.classList.add('streams');
    this.canvas.onkeydown = (event) => this.#key(event);
    this.canvas.onblur = () => this.#choose(undefined);
    const head = element('tr', {}, ...COLUMNS.map((name) => element('th', { scope: 'col' }, name)));
    this.root.append(
      element(
        'details',
        { class: 'as-table' },
        element('summary', {}, 'As a table'),
        element('div', { class: 'scroll' }, element('table', {}, element('thead', {}, head), this.#sheet)),
      ),
    );
  }

  /** @param arm of the store, and `graph` as in the description of its run */
  draw(store, arm, graph) {
    this.#graph = graph;
    this.#figures = streamFigures(store, arm, graph);
    this.root.dataset.points = String(arm.columns.get('stream/items/metrics')?.values.length ?? 0);
    this.#outline();
    for (const node of graph.nodes) this.#fill(node, this.#figures.get(node.id));
    this.#tabulate();
    this.#tell();
  }

  resize() {
    if (this.#graph === undefined) return;
    this.#outline();
    for (const node of this.#graph.nodes) this.#fill(node, this.#figures.get(node.id));
  }

  /** Draws boxes and edges where the graph or the width is another. */
  #outline() {
    const { width } = this;
    const drawn = JSON.stringify([this.#graph, width]);
    if (drawn === this.#drawn) return;
    this.#drawn = drawn;
    const layout = layOut(this.#graph, width);
    const { nodes, edges } = this.#graph;
    this.#boxes = new Map(nodes.map((node) => [node.id, this.#box(node, layout.boxes.get(node.id))]));
    const lines = edges
      .map((edge) => [edge, layout.boxes.get(edge.from), layout.boxes.get(edge.to)])
      .filter(([, from, to]) => from && to)
      .map(([edge, from, to]) => {
        const path = shape('path', { class: `edge ${edge.back ?? ''}`, d: pathOf(edge, from, to, layout) });
        path.setAttribute('marker-end', 'url(#stream-arrow)');
        path.append(shape('title', {}, BACK[edge.back] ?? `${edge.from} to ${edge.to}`));
        return path;
      });
    this.canvas.replaceChildren(
      shape(
        'svg',
        { width, height: layout.height, viewBox: `0 0 ${width} ${layout.height}`, 'aria-hidden': 'true' },
        shape('defs', {}, arrow()),
        ...lines,
        ...[...this.#boxes.values()].map(({ root }) => root),
      ),
    );
  }

  #box({ id, title, detail, ahead = 0 }, { x, y, width, height, wide }) {
    const half = wide ? width / 2 : width;
    const at = (left, top, text, kind, anchor = 'start') =>
      shape('text', { x: left, y: top, class: kind, 'text-anchor': anchor }, text);
    const inner = (wide ? half : width) - 18;
    const right = wide ? [width - 9, 'end'] : [9, 'start'];
    const parts = {
      first: at(right[0], wide ? 19 : 52, '', 'value', right[1]),
      second: at(right[0], wide ? 35 : 68, '', 'small', right[1]),
      bar: shape('rect', { class: 'share', x: 1, y: height - 4, width: 0, height: 3 }),
      ready: Array.from({ length: Math.min(ahead, 6) }, (_, slot) =>
        shape('rect', { class: 'slot', x: half - 16 - 11 * slot, y: 9, width: 8, height: 8, rx: 2 }),
      ),
    };
    const root = shape(
      'g',
      { class: 'part', transform: `translate(${x},${y})`, 'data-part': id },
      shape('rect', { class: 'frame', width, height, rx: 9 }),
      shape('title', {}, `${title}: ${detail}`),
      at(9, 19, clipped(title, inner * LETTERS.large), 'title'),
      at(9, wide ? 35 : 34, clipped(detail, inner * LETTERS.small), 'small'),
      ...[parts.first, parts.second, parts.bar],
      ...parts.ready,
    );
    root.addEventListener('pointerenter', () => this.#choose(id));
    root.addEventListener('pointerleave', () => this.#choose(undefined));
    return { root, ...parts, width, inner };
  }

  #fill({ id }, figures) {
    const box = this.#boxes.get(id);
    const [first, second] = figures.lines;
    setText(box.first, clipped(first, box.inner * LETTERS.large));
    setText(box.second, clipped(second, box.inner * LETTERS.small));
    box.root.classList.toggle('busy', figures.busy);
    box.root.classList.toggle('chosen', id === this.#chosen);
    box.bar.setAttribute('width', String(Math.min(1, figures.share ?? 0) * (box.width - 2)));
    const ready = Number.parseInt(first, 10) || 0;
    box.ready.forEach((slot, at) => slot.classList.toggle('full', at < ready));
  }

  /** Where the time goes; or about the part that is pointed at. */
  #tell() {
    const node = this.#graph.nodes.find(({ id }) => id === this.#chosen);
    const shares = this.#graph.nodes
      .map(({ id, title }) => ({ id, title, ...this.#figures.get(id) }))
      .filter(({ share }) => share !== undefined)
      .map(({ id, title, share }) => ({
        label: id === 'batch' ? 'waiting for data' : title,
        value: percent(share),
      }));
    if (node === undefined) this.say(shares, this.#where());
    else {
      const { rate, unit, total, share, lines } = this.#figures.get(node.id);
      const chips = [
        { label: node.title, value: node.detail },
        { label: `${unit}/s`, value: rateText(rate) },
        { label: unit, value: total === undefined ? '–' : compact(total) },
      ];
      if (share !== undefined) chips.push({ label: 'of the time', value: percent(share) });
      this.say(chips, lines[1]);
    }
    const said =
      node === undefined
        ? shares
        : [{ label: node.title, value: this.#figures.get(node.id).lines.join(', ') }];
    const summary = said.map(({ label, value }) => `${label} ${value}`).join(', ');
    this.canvas.setAttribute('aria-label', `Streams: ${summary || 'no figures yet'}`);
  }

  /** Who has the one batch that is in flight. */
  #where() {
    const busy = this.#graph.nodes.find(({ id }) => this.#figures.get(id).busy);
    if (busy === undefined) return undefined;
    return busy.id === 'batch' ? 'the run waits for a batch' : `the batch is in ${words(busy.title)}`;
  }

  #tabulate() {
    const key = this.#graph.nodes.map(({ id }) => id).join();
    if (this.#sheet.dataset.key !== key) {
      this.#sheet.dataset.key = key;
      this.#rows = new Map(
        this.#graph.nodes.map(({ id, title, detail }) => {
          const cells = COLUMNS.slice(2).map(() => element('td'));
          const row = element(
            'tr',
            {},
            element('th', { scope: 'row' }, title),
            element('td', {}, detail),
            ...cells,
          );
          return [id, { row, cells }];
        }),
      );
      this.#sheet.replaceChildren(...[...this.#rows.values()].map(({ row }) => row));
    }
    for (const [id, { cells }] of this.#rows) {
      const { rate, unit, total, share } = this.#figures.get(id);
      const texts = [
        rate === undefined ? '–' : `${rateText(rate)} ${unit}`,
        total === undefined ? '–' : `${compact(total)} ${unit}`,
        share === undefined ? '' : `${percent(share)}${id === 'batch' ? ' (waited for)' : ''}`,
      ];
      texts.forEach((text, at) => setText(cells[at], text));
    }
  }

  #choose(id) {
    this.#chosen = id;
    for (const [of, { root }] of this.#boxes) root.classList.toggle('chosen', of === id);
    this.#tell();
  }

  #key(event) {
    const moves = { ArrowLeft: -1, ArrowUp: -1, ArrowRight: 1, ArrowDown: 1, Home: -Infinity, End: Infinity };
    const move = moves[event.key];
    if (move === undefined || this.#graph === undefined) return;
    event.preventDefault();
    const ids = this.#graph.nodes.map(({ id }) => id);
    const from = this.#chosen === undefined ? (move < 0 ? ids.length : -1) : ids.indexOf(this.#chosen);
    this.#choose(ids[Math.min(ids.length - 1, Math.max(0, from + move))]);
  }
}

function arrow() {
  const attributes = {
    id: 'stream-arrow',
    viewBox: '0 0 8 8',
    refX: 2,
    refY: 4,
    markerWidth: 6,
    markerHeight: 6,
  };
  return shape(
    'marker',
    { ...attributes, orient: 'auto' },
    shape('path', { class: 'tip', d: 'M0,0 L8,4 L0,8 z' }),
  );
}

function clipped(text, letters) {
  return text.length <= letters ? text : `${text.slice(0, Math.max(1, Math.floor(letters) - 1))}…`;
}
