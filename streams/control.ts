/** @file Pause, resume and stop of a run, as one small object that sources listen to. No imports. */

export type ControlState = 'running' | 'paused' | 'stopped';

/**
 * Who holds it steers the sources that were given it. Pause and stop act between items: the item in flight is
 * finished first. Stop is final. The same control may steer several sources, one after the other or together.
 */
export class Control {
  #state: ControlState = 'running';
  readonly #listeners = new Set<(state: ControlState) => void>();
  readonly #stopping = new AbortController();

  /** @param signal stops this control when it aborts. */
  constructor(signal?: AbortSignal) {
    if (signal?.aborted === true) this.stop();
    else signal?.addEventListener('abort', () => this.stop(), { once: true });
  }

  get state(): ControlState {
    return this.#state;
  }

  /** Aborts on stop: hand it to what waits for long (a data source, a timer). */
  get signal(): AbortSignal {
    return this.#stopping.signal;
  }

  pause(): void {
    if (this.#state === 'running') this.#change('paused');
  }

  resume(): void {
    if (this.#state === 'paused') this.#change('running');
  }

  stop(): void {
    if (this.#state === 'stopped') return;
    this.#change('stopped');
    this.#stopping.abort();
  }

  /** Calls `listener` at every change, until the returned function is called. */
  onChange(listener: (state: ControlState) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  #change(state: ControlState): void {
    this.#state = state;
    for (const listener of [...this.#listeners]) listener(state);
  }
}
