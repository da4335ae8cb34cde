/** @file What two processes cost at a moment of a run. Types only. */
import type { ProcessFigures } from './process-figures.js';

/** At a moment of the run. */
export interface Sample {
  /** Since the first. */
  readonly seconds: number;
  readonly step: number;
  readonly serving: ProcessFigures;
  readonly training: ProcessFigures;
}
