/** @file The metric that finds checkpoints best, heard as it is recorded. */
import type { Checkpoint } from '../../operators/index.js';
import type { Recorder } from '../../streams/index.js';

export class Scored {
  /** Hears, and passes on. */
  readonly record: Recorder;
  #last: { readonly step: number; readonly score: number } | undefined;

  /** @param metric kind and name, as in `evaluate.latentComply`. @param note is told once where the kind has no such name */
  constructor(metric: string | undefined, record: Recorder, note: (text: string) => void) {
    const [wanted, name = ''] = metric?.split(/\.(.*)/s) ?? [];
    let told = false;
    this.record = (step, kind, values) => {
      const score = kind === wanted ? values[name] : undefined;
      if (score !== undefined && Number.isFinite(score)) this.#last = { step, score };
      if (kind === wanted && values[name] === undefined && !told) {
        told = true;
        note(`checkpoint.best: ${kind} measures no ${name}, but ${Object.keys(values).join(', ')}`);
      }
      return record(step, kind, values);
    };
  }

  /** What a checkpoint of a step is to hold. */
  at(step: number): Pick<Checkpoint, 'score'> {
    return this.#last?.step === step ? { score: this.#last.score } : {};
  }
}
