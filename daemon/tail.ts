/** @file The newest lines that the daemon has logged about each run. In memory, and little of it. */
import type { Level, Log } from './log.js';

export interface TailLine {
  /** UTC. */
  readonly time: string;
  readonly level: Level;
  readonly message: string;
}

/** Of one run. */
const MOST_LINES = 200;
const MOST_RUNS = 500;
const LONGEST_LINE = 1000;

/** Remembers what it passes on. */
export class Tail {
  readonly #runs = new Map<string, TailLine[]>();

  /** @param log where everything goes. @param now milliseconds since the epoch */
  constructor(
    private readonly log: Log,
    private readonly now: () => number = Date.now,
  ) {}

  readonly hear: Log = (level, message, fields = {}) => {
    this.log(level, message, fields);
    const { run, reason } = fields;
    if (typeof run !== 'string') return;
    const lines = this.#runs.get(run) ?? [];
    this.#runs.delete(run); // so that those of whom little is heard are forgotten first
    this.#runs.set(run, lines);
    const text = typeof reason === 'string' ? `${message}: ${reason}` : message;
    lines.push({ time: new Date(this.now()).toISOString(), level, message: text.slice(0, LONGEST_LINE) });
    if (lines.length > MOST_LINES) lines.shift();
    const [oldest] = this.#runs.keys();
    if (this.#runs.size > MOST_RUNS && oldest !== undefined) this.#runs.delete(oldest);
  };

  /** Oldest first. */
  of(run: string): readonly TailLine[] {
    return this.#runs.get(run) ?? [];
  }
}
