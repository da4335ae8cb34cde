/** @file A report before it has a form: sections of text, tables, figures, samples and code. Types only. */
import type { Panel } from './chart.js';
import type { IntervalPanel } from './intervals.js';

/** A cell of a table: text, which begins with what counts; `[low, high]` at its end is set back. */
export type Cell = string;

export interface TableBlock {
  readonly kind: 'table';
  readonly caption?: string;
  /** The first row is the head; the first column names rows. */
  readonly rows: readonly (readonly Cell[])[];
}

export interface FigureBlock {
  readonly kind: 'figure';
  readonly caption: string;
  /** Names by colour: 0 is the untrained model. */
  readonly legend: readonly { readonly name: string; readonly colour: number }[];
  readonly panels: readonly (
    ({ readonly kind: 'chart' } & Panel) | ({ readonly kind: 'intervals' } & IntervalPanel)
  )[];
}

/** One request, and what models answered to it. */
export interface SampleBlock {
  readonly kind: 'sample';
  readonly request: string;
  /** By model, then by attack. */
  readonly answers: readonly {
    readonly model: string;
    readonly under: string;
    readonly given: string;
    readonly generated: string;
    readonly outcome: string;
  }[];
}

export type Block =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'code'; readonly title: string; readonly text: string }
  | TableBlock
  | FigureBlock
  | SampleBlock;

export interface Section {
  readonly title: string;
  readonly blocks: readonly Block[];
}

export interface Report {
  readonly title: string;
  readonly experiments: readonly {
    readonly title: string;
    readonly about: string;
    readonly sections: readonly Section[];
  }[];
}
