/** @file Text for a terminal: without what steers it, and no wider than there is room. No I/O. */
import { stripVTControlCharacters } from 'node:util';
import stringWidth from 'string-width';

const graphemes = new Intl.Segmenter(undefined, { granularity: 'grapheme' });

/** One line, without control characters and invisible ones: what a run is called must not move the cursor. */
export function harmless(text: string): string {
  return stripVTControlCharacters(text).replace(/\s/gu, ' ').replace(/\p{C}/gu, '');
}

/** At most so many columns; what is cut off ends with `…`. @param text harmless */
export function clipped(text: string, width: number): string {
  if (width <= 0) return '';
  if (stringWidth(text) <= width) return text;
  let [kept, taken] = ['', 0];
  for (const { segment } of graphemes.segment(text)) {
    const next = stringWidth(segment);
    if (taken + next > width - 1) break;
    kept += segment;
    taken += next;
  }
  return `${kept}…`;
}

/** Exactly so many columns. @param text harmless */
export function padded(text: string, width: number, side: 'left' | 'right' = 'right'): string {
  const fitting = clipped(text, width);
  const space = ' '.repeat(Math.max(0, width - stringWidth(fitting)));
  return side === 'left' ? space + fitting : fitting + space;
}

/** Four digits or so. */
export function figure(value: number): string {
  if (!Number.isFinite(value)) return '–';
  const size = Math.abs(value);
  if (size !== 0 && (size < 1e-3 || size >= 1e6)) return value.toExponential(2);
  return String(Number(value.toPrecision(4)));
}

/** A duration in two units at most. @param seconds not negative */
export function duration(seconds: number): string {
  if (!Number.isFinite(seconds)) return '–';
  const whole = Math.round(seconds);
  const [days, hours, minutes] = [
    Math.floor(whole / 86_400),
    Math.floor(whole / 3600) % 24,
    Math.floor(whole / 60) % 60,
  ];
  if (days > 0) return `${days} d ${hours} h`;
  if (hours > 0) return `${hours} h ${minutes} min`;
  return minutes > 0 ? `${minutes} min ${whole % 60} s` : `${whole} s`;
}
