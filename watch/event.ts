/** @file What is seen of runs, whatever it is seen through. Types only. */
import type { RunView } from '../daemon/index.js';
import type { Metric } from '../streams/index.js';

/** What viewers may ask of a run. */
export const ASKABLE = ['pause', 'resume', 'stop'] as const;
export type Askable = (typeof ASKABLE)[number];

/** Where a run of a daemon is. */
export type Advance = NonNullable<NonNullable<RunView['live']>['progress']>;

export type WatchEvent =
  /** From here on another run is seen, or the same from its beginning: what was seen before is void. */
  | { readonly type: 'run'; readonly run: string; readonly from: string; readonly may: readonly Askable[] }
  | { readonly type: 'state'; readonly run: string; readonly state: string; readonly detail: string | null }
  | ({ readonly type: 'metric' } & Metric)
  /** Of a run whose metrics are not looked at. */
  | { readonly type: 'progress'; readonly run: string; readonly progress: Advance }
  /** All runs of a daemon. */
  | { readonly type: 'runs'; readonly runs: readonly RunView[]; readonly chosen: string | null }
  /** Whether what shows the run can be reached. */
  | { readonly type: 'link'; readonly up: boolean; readonly detail: string };

/** How looking on ended: with the run, or because nobody wanted to look any more. */
export type Ending =
  | { readonly kind: 'done' | 'left' }
  | { readonly kind: 'stopped' | 'failed'; readonly run: string; readonly reason: string };

/** Something that shows runs. */
export interface Source {
  /**
   * What is seen, from now until the run or the looking ends. Asked for once.
   * @throws WATCH_UNREACHABLE, WATCH_PROTOCOL, DAEMON_…
   */
  events(signal: AbortSignal): AsyncGenerator<WatchEvent, Ending>;
  /** @returns what came of it, for people */
  ask(what: Askable): Promise<string>;
  /** Looks at the next run, or the one before. */
  move?(by: 1 | -1): void;
}
