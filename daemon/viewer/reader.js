/** @file The metrics of the chosen runs: read from the beginning once, then what is new. */
import { armName } from '../../monitor/viewer/format.js';
import { ask } from './api.js';

const LIVE = ['running', 'stopping'];
/** Runs that are read at once: more would wait for connections, and for the daemon. */
const AT_ONCE = 6;
/** Of an arm and kind; all runs together have about as many, however many they are. */
const [FEWEST_POINTS, MOST_POINTS, ALL_POINTS] = [60, 1000, 24_000];

/** Keeps a store filled with the chosen runs, as arms `ID/ARM`. */
export class Reader {
  /** id → { next, state } */
  #read = new Map();

  constructor(store) {
    this.store = store;
  }

  /** Asks for what is new, and forgets what is no longer chosen. @param onPiece is told of every piece */
  async read(runs, onPiece) {
    const ids = new Set(runs.map(({ id }) => id));
    for (const id of [...this.#read.keys()]) {
      if (ids.has(id)) continue;
      this.#read.delete(id);
      this.store.remove(belongsTo(id));
      onPiece();
    }
    const points = Math.max(FEWEST_POINTS, Math.min(MOST_POINTS, Math.floor(ALL_POINTS / runs.length)));
    const waiting = [...runs];
    const work = async () => {
      for (let run = waiting.shift(); run; run = waiting.shift()) await this.#readOne(run, points, onPiece);
    };
    await Promise.all(Array.from({ length: AT_ONCE }, work));
  }

  async #readOne({ id, state }, points, onPiece) {
    const before = this.#read.get(id);
    // What was read behind its end is whole.
    if (before?.state === state && !LIVE.includes(state)) return;
    const reading = before ?? { next: '' };
    this.#read.set(id, reading);
    for (let more = true; more;) {
      const after = new URLSearchParams({ after: reading.next, points });
      const reply = await ask(`/runs/${id}/metrics?${after}`);
      if (this.#read.get(id) !== reading) return; // no longer chosen
      if (reply.fresh) this.store.remove(belongsTo(id));
      for (const metric of reply.metrics) this.store.add({ ...metric, run: `${id}/${armName(metric.run)}` });
      reading.next = reply.next;
      more = reply.more;
      if (reply.metrics.length > 0 || reply.fresh) onPiece();
    }
    reading.state = state;
  }
}

function belongsTo(id) {
  return (run) => run.startsWith(`${id}/`);
}
