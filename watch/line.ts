/** @file A line of a picture, and how it is emphasized. No imports. */

/** Of a terminal. */
export interface Size {
  readonly columns: number;
  readonly rows: number;
}

/** `plain`: not at all. */
export type Style = 'plain' | 'title' | 'heading' | 'chosen' | 'trouble' | 'faint';

export interface Line {
  readonly text: string;
  readonly style: Style;
}

export function line(text: string, style: Style = 'plain'): Line {
  return { text, style };
}
