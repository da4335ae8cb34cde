/**
 * @file What a viewer gets that asked for less: of each series some metrics, and always the newest, if late. No I/O.
 */
import type { Update } from './bundle.js';
import { kindOf } from './history.js';
import type { Kinds, Rule } from './protocol.js';

/** What was held back goes out when nothing newer of its series came for so long. */
export const SETTLE_MILLISECONDS = 2000;

interface Series {
  readonly rule: Rule | undefined;
  seen: number;
  /** When the last one went out. */
  passed: number;
  held: Update | undefined;
  /** When it goes out. */
  due: number;
}

export class Thinning {
  readonly #series = new Map<string, Series>();

  /** @param now milliseconds on a clock that only goes forward */
  constructor(
    private readonly kinds: Kinds,
    private readonly now: () => number = () => performance.now(),
  ) {}

  wants(series: string): boolean {
    const { rule } = this.#of(series);
    return !(rule && 'every' in rule && rule.every === 0);
  }

  /** Those that go out now, in their order; the newest of each series that does not is held back. */
  sift(updates: Iterable<Update>): Update[] {
    const passing: Update[] = [];
    for (const update of updates) if (this.#passes(update)) passing.push(update);
    return passing;
  }

  /** What was held back for long enough, in sequence; it is not held any longer. */
  due(): Update[] {
    const now = this.now();
    return this.#release(({ due }) => due <= now);
  }

  /** All that is held back, in sequence; it is not held any longer. */
  release(): Update[] {
    return this.#release(() => true);
  }

  /** Milliseconds until something is due; undefined where nothing is held back. */
  get wait(): number | undefined {
    const dues = [...this.#series.values()].filter(({ held }) => held).map(({ due }) => due);
    return dues.length > 0 ? Math.max(0, Math.min(...dues) - this.now()) : undefined;
  }

  #passes(update: Update): boolean {
    const series = this.#of(update.series);
    const { rule } = series;
    const now = this.now();
    const nth = series.seen++;
    if (rule === undefined) return true;
    if ('every' in rule) {
      if (rule.every === 0) return false;
      if (nth % rule.every === 0) series.held = undefined;
      else Object.assign(series, { held: update, due: now + SETTLE_MILLISECONDS });
      return series.held === undefined;
    }
    const due = series.passed + 1000 / rule.perSecond;
    if (now < due) Object.assign(series, { held: update, due });
    else Object.assign(series, { held: undefined, passed: now });
    return now >= due;
  }

  #release(which: (series: Series) => boolean): Update[] {
    const released: Update[] = [];
    for (const series of this.#series.values()) {
      if (!series.held || !which(series)) continue;
      released.push(series.held);
      Object.assign(series, { held: undefined, passed: this.now() });
    }
    return released.sort((a, b) => a.sequence - b.sequence);
  }

  #of(name: string): Series {
    let series = this.#series.get(name);
    if (series === undefined) {
      const rule = Object.hasOwn(this.kinds, kindOf(name)) ? this.kinds[kindOf(name)] : this.kinds['*'];
      series = { rule, seen: 0, passed: -Infinity, held: undefined, due: 0 };
      this.#series.set(name, series);
    }
    return series;
  }
}
