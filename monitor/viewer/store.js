/** @file Everything a page knows about runs, as columns ready to be drawn. Memory is bounded. */
import { armName } from './format.js';

const LIMIT = 4000;

/** One measured value of one arm over steps. */
class Column {
  steps = [];
  seconds = [];
  values = [];
  #stride = 1;
  #skipped = 0;

  push(step, seconds, value) {
    const last = this.steps.length - 1;
    if (last >= 0 && step < this.steps[last]) this.#rewind(step);
    if (this.steps.at(-1) === step) {
      this.seconds[this.steps.length - 1] = seconds;
      this.values[this.steps.length - 1] = value; // several records in a step: the last one stands
      return;
    }
    this.steps.push(step);
    this.seconds.push(seconds);
    this.values.push(value);
    // Between two kept points only the newest stays, so that a curve always reaches the present.
    if (this.steps.length > 2 && this.#skipped++ % this.#stride !== 0) this.#remove(this.steps.length - 2);
    if (this.steps.length > LIMIT) this.#thin();
  }

  get last() {
    return this.values.at(-1);
  }

  #thin() {
    const keep = (_, index, all) => index % 2 === 0 || index === all.length - 1;
    for (const name of ['steps', 'seconds', 'values']) this[name] = this[name].filter(keep);
    this.#stride *= 2;
  }

  #remove(index) {
    for (const name of ['steps', 'seconds', 'values']) this[name].splice(index, 1);
  }

  /** The run was resumed from an earlier checkpoint: what came after it did not happen. */
  #rewind(step) {
    const keep = this.steps.findIndex((each) => each >= step);
    for (const name of ['steps', 'seconds', 'values']) this[name].length = keep;
  }
}

export class Store {
  /** @param label what an arm is called, by its run */
  constructor(label = armName) {
    this.label = label;
    this.clear();
  }

  clear() {
    /** run → { run, slot, started, columns: Map('kind/name' → Column), progress, newest } */
    this.arms = new Map();
    this.events = [];
    this.count = 0;
    this.newest = undefined;
  }

  add({ run, time, step, kind, values }) {
    this.count += 1;
    this.newest = { run, time, step };
    const arm = this.arm(run, time);
    arm.step = step;
    arm.time = time;
    if (kind === 'progress') arm.progress = values;
    if (kind === 'checkpoint' || kind === 'warning') {
      this.events.unshift({ run, time, step, kind, values });
      this.events.length = Math.min(this.events.length, 60);
    }
    for (const [name, value] of Object.entries(values)) {
      const key = `${kind}/${name}`;
      let column = arm.columns.get(key);
      if (column === undefined) arm.columns.set(key, (column = new Column()));
      column.push(step, (time - arm.started) / 1000, value);
    }
  }

  arm(run, time = Date.now()) {
    let arm = this.arms.get(run);
    if (arm === undefined) {
      const slot = this.#freeSlot(run);
      arm = {
        run,
        slot,
        started: time,
        time,
        step: 0,
        columns: new Map(),
        progress: undefined,
        hidden: false,
      };
      this.arms.set(run, arm);
    }
    return arm;
  }

  /** Forgets those arms. */
  remove(goes) {
    for (const run of [...this.arms.keys()].filter(goes)) this.arms.delete(run);
    this.events = this.events.filter(({ run }) => !goes(run));
  }

  /** The least number that no other arm has: its colour stays while others come and go. */
  #freeSlot(run) {
    const rivals = [...this.arms.values()].filter((arm) => isBase(arm.run) === isBase(run));
    const taken = new Set(rivals.map(({ slot }) => slot));
    let slot = 0;
    while (taken.has(slot)) slot++;
    return slot;
  }

  get visible() {
    return [...this.arms.values()].filter((arm) => !arm.hidden);
  }

  /** The value names that any arm has measured of a kind, in order of appearance. */
  names(kind) {
    const names = new Set();
    for (const arm of this.arms.values()) {
      for (const key of arm.columns.keys())
        if (key.startsWith(`${kind}/`)) names.add(key.slice(kind.length + 1));
    }
    return [...names];
  }
}

/** Whether an arm is the untrained model, with which others are compared. */
export function isBase(run) {
  return armName(run) === 'base';
}
