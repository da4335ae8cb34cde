/** @file Panels side by side with their legend, as one SVG that stands alone, in colours that read on light and on dark. */
import { PANEL, panelOf } from './chart.js';
import type { FigureBlock } from './document.js';
import { intervalPanel } from './intervals.js';
import { drawing, element, label, mark } from './svg.js';

const COLUMNS = 2;
const GAP = 24;
const LEGEND = 26;
/** Width of a character of the legend, about. */
const CHARACTER = 6.2;

/** A legend of one name says nothing, and is left out. */
export function sheet({
  caption,
  legend,
  panels,
}: Pick<FigureBlock, 'caption' | 'legend' | 'panels'>): string {
  const columns = Math.min(COLUMNS, panels.length);
  const width = columns * PANEL.width + (columns - 1) * GAP;
  const drawn = panels.map((panel) =>
    panel.kind === 'chart' ? { body: panelOf(panel), height: PANEL.height } : intervalPanel(panel),
  );
  const named = legend.length > 1 ? legendOf(legend, width) : { body: '', height: 0 };
  let top = named.height;
  const rows = Array.from({ length: Math.ceil(drawn.length / columns) }, (_, row) => {
    const across = drawn.slice(row * columns, (row + 1) * columns);
    const placed = across.map(({ body }, at) =>
      element('g', { transform: `translate(${at * (PANEL.width + GAP)} ${top})` }, body),
    );
    top += Math.max(...across.map(({ height }) => height)) + GAP / 2;
    return placed.join('\n');
  });
  return `${drawing(width, top, caption, named.body + rows.join('\n'))}\n`;
}

function legendOf(
  legend: FigureBlock['legend'],
  width: number,
): { readonly body: string; readonly height: number } {
  let [x, y] = [4, 14];
  const names = legend.map(({ name, colour }) => {
    const size = 26 + CHARACTER * name.length;
    if (x > 4 && x + size > width) [x, y] = [4, y + LEGEND * 0.7];
    const placed = mark(x + 4, y - 4, colour) + label(x + 13, y, name);
    x += size;
    return placed;
  });
  return { body: names.join(''), height: y + 12 };
}
