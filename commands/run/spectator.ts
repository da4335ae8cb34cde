/** @file What a person at a terminal sees of a run: notes, and one progress bar per arm. On stderr, all of it. */
import type { Recipe } from '../../recipes/index.js';
import type { JobMessage } from './messages.js';
import { progressBar, type ProgressBar } from '../progress.js';

/** Shows messages of a job as they come. */
export class Spectator {
  private bar: ProgressBar | undefined;
  private run = '';

  /** @param quiet says nothing but what is asked for. */
  constructor(
    private readonly recipe: Recipe,
    private readonly quiet: boolean,
  ) {}

  note(text: string): void {
    this.close();
    if (!this.quiet) process.stderr.write(`${text}\n`);
  }

  see(message: JobMessage): void {
    if (message.type === 'note') this.note(message.text);
    if (message.type !== 'metric' || message.metric.kind !== 'progress' || this.quiet) return;
    const { run, values } = message.metric;
    const { step = 0, steps = 0, secondsLeft = 0 } = values;
    if (this.run !== run || !this.bar) {
      this.close();
      this.run = run;
      this.bar = progressBar(run.replace(`${this.recipe.name}/`, ''), steps);
    }
    this.bar.update(step, `${secondsLeft.toFixed(0)} s left`);
  }

  close(): void {
    this.bar?.stop();
    this.bar = undefined;
  }
}
