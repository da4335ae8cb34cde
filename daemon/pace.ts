/** @file How fast a run goes, from the last of its reports. */
import type { Metric } from '../streams/index.js';

/** Reports that the speed is taken over. */
const WINDOW = 16;

/** Where a run is. */
export interface Progress {
  /** What is being trained, as in `tiny/lat`. */
  readonly part: string;
  readonly step: number;
  readonly steps: number;
  /** Null until two steps were seen. */
  readonly stepsPerSecond: number | null;
}

/** What a run's process does now. */
export interface Live {
  readonly page: string | null;
  readonly pid: number | null;
  readonly progress: Progress | null;
}

/** Listens to a run's metrics. */
export class Pace {
  #recent: Metric[] = [];

  hear(metric: Metric): void {
    if (metric.kind !== 'progress') return;
    if (this.#recent[0]?.run !== metric.run) this.#recent = [];
    this.#recent = [...this.#recent, metric].slice(-WINDOW);
  }

  get progress(): Progress | null {
    const [first, last] = [this.#recent[0], this.#recent.at(-1)];
    if (!first || !last) return null;
    const [steps, millis] = [last.step - first.step, last.time - first.time];
    return {
      part: last.run,
      step: last.step,
      steps: last.values['steps'] ?? last.step,
      stepsPerSecond: steps > 0 && millis > 0 ? (1000 * steps) / millis : null,
    };
  }
}
