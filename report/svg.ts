/** @file Pieces of an SVG as text. Colours are the page's variables, each with a value for where there is no page. Imports nothing. */

/** Text as text, in markup and in attributes, whatever it says; what no XML may hold is replaced. */
export function escaped(text: string): string {
  return printable(text)
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
    .replaceAll("'", '&#39;');
}

/** Control characters, lone surrogates and marks that turn the direction of writing are shown as what they are: out of place. */
export function printable(text: string): string {
  return text
    .replace(/\p{Surrogate}/gu, '\ufffd')
    .replace(
      /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069\ufffe\uffff]/g,
      '\ufffd',
    );
}

export const INK = 'var(--dim, #768090)';
export const GRID = 'var(--grid, #8883)';

/** The untrained model's colour, then those of arms; they come round again after the last. */
const COLOURS = ['#7b8798', '#d9690f', '#3b6fe0', '#13835a', '#8449cf', '#c2347f', '#8a6d00'];

/** @param at 0 for the untrained model. */
export function colourOf(at: number): string {
  const place = at === 0 ? 0 : 1 + ((at - 1) % (COLOURS.length - 1));
  return `var(--c${place}, ${COLOURS[place] as string})`;
}

export type Attributes = Readonly<Record<string, string | number>>;

/** An element with attributes, around markup. */
export function element(name: string, attributes: Attributes, content = ''): string {
  const given = Object.entries(attributes).map(
    ([key, value]) => ` ${key}="${typeof value === 'number' ? round(value) : escaped(value)}"`,
  );
  return content === '' ? `<${name}${given.join('')}/>` : `<${name}${given.join('')}>${content}</${name}>`;
}

export function label(x: number, y: number, text: string, more: Attributes = {}): string {
  return element('text', { x, y, ...more }, escaped(text));
}

export function line(
  x1: number,
  y1: number,
  x2: number,
  y2: number,
  stroke: string,
  more: Attributes = {},
): string {
  return element('line', { x1, y1, x2, y2, stroke, ...more });
}

/** A mark whose shape says, without colour, whose it is. */
export function mark(x: number, y: number, at: number, size = 3.4): string {
  const fill = colourOf(at);
  const turned = (corners: number, from: number): string =>
    Array.from({ length: corners }, (_, corner) => {
      const angle = from + (2 * Math.PI * corner) / corners;
      return `${round(x + 1.3 * size * Math.cos(angle))},${round(y + 1.3 * size * Math.sin(angle))}`;
    }).join(' ');
  if (at % 4 === 1)
    return element('rect', { x: x - size, y: y - size, width: 2 * size, height: 2 * size, fill });
  if (at % 4 === 2) return element('circle', { cx: x, cy: y, r: size + 0.3, fill });
  return element('polygon', { points: at % 4 === 3 ? turned(4, 0) : turned(3, -Math.PI / 2), fill });
}

export function round(value: number): number {
  return Number(value.toFixed(2));
}

/** A drawing of its own: fonts set, read aloud by its title. @param more of the element `svg`, such as `class`. */
export function drawing(
  width: number,
  height: number,
  title: string,
  body: string,
  more: Attributes = {},
): string {
  const size = { width, height, viewBox: `0 0 ${width} ${round(height)}` };
  const head = { xmlns: 'http://www.w3.org/2000/svg', role: 'img', ...size, ...more };
  const font = { 'font-family': 'system-ui, sans-serif', 'font-size': 11, fill: INK };
  return element('svg', { ...head, ...font }, `<title>${escaped(title)}</title>${body}`);
}
