/** @file The daemons that share the queue: which machine, what it trains, when it was heard of last. */
import { setText } from '../../monitor/viewer/dom.js';
import { duration } from '../../monitor/viewer/format.js';
import { ask } from './api.js';
import { SortedTable } from './sorted-table.js';

const HEAD = ['machine', 'trains', 'runs', 'last heard', 'up for', 'version', 'process'];

export class Workers {
  #table = new SortedTable('Those that were heard of, or were until lately');
  #root = document.getElementById('workers');
  #several = false;

  constructor() {
    this.#root.append(this.#table.root);
  }

  /** @param label what a run is called, by its id */
  async show(label) {
    const { workers } = await ask('/workers');
    this.#root.hidden = workers.length === 0;
    // Who has one machine knows it; several are shown without being asked for, once.
    if (workers.length > 1 && !this.#several) this.#root.open = this.#several = true;
    const runs = workers.reduce((sum, each) => sum + each.runs.length, 0);
    const places = workers.reduce((sum, each) => sum + each.parallel, 0);
    const machines = workers.length === 1 ? 'Worker' : `${workers.length} workers`;
    setText(this.#root.querySelector('summary span'), `${machines}: ${runs} of ${places} places taken`);
    this.#table.draw(
      HEAD,
      workers.map((worker) => rowOf(worker, label)),
    );
  }
}

function rowOf({ host, pid, version, since, heard, parallel, runs, here }, label) {
  const ago = (time) => Math.max(0, Math.round((Date.now() - Date.parse(time)) / 1000));
  return [
    { text: host, small: here ? 'answers here' : undefined },
    {
      text: runs.map(label).join(', ') || (parallel === 0 ? 'nothing: it only serves' : 'nothing'),
      tone: 'why',
    },
    { text: `${runs.length} of ${parallel}`, sort: runs.length },
    heard === null ? { sort: null } : { text: heardText(ago(heard)), sort: ago(heard) },
    { text: duration(ago(since)), sort: ago(since) },
    { text: version, dim: true },
    { text: String(pid), sort: pid, dim: true },
  ];
}

/** Seconds are not counted while all is well: a table that changes at every look disturbs its readers. */
function heardText(seconds) {
  return seconds < 15 ? 'just now' : `${duration(seconds)} ago`;
}
