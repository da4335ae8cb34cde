/** @file Which runs are compared, what their arms are called, and how they are coloured. Kept in the address. */
import { armName } from '../../monitor/viewer/format.js';
import { DASHES, rampColor } from '../../monitor/viewer/curves.js';
import { isBase } from '../../monitor/viewer/store.js';
import { ascending, cellText, sweepOf, varied } from './sweeps.js';

/** What a run is that has no such setting. */
const NONE = 'others';

export class Comparison {
  #runs = new Map();
  /** What the legend has switched off. */
  #off = new Set();

  /** @param hash of the address: `#runs=ID,ID&open=SWEEP,SWEEP&colour=SETTING` */
  constructor(hash) {
    const said = new URLSearchParams(hash.slice(1));
    const list = (name) => new Set(said.get(name)?.split(',').filter(Boolean));
    this.chosen = list('runs');
    /** Names of sweeps that are unfolded. */
    this.open = list('open');
    /** The setting by which curves are coloured; '' for arms. */
    this.setting = said.get('colour') ?? '';
    this.untouched = this.chosen.size === 0;
  }

  get hash() {
    const parts = { runs: [...this.chosen].join(), open: [...this.open].join(), colour: this.setting };
    const said = Object.entries(parts).filter(([, value]) => value !== '');
    return said.length === 0 ? '' : `#${said.map(([name, value]) => `${name}=${value}`).join('&')}`;
  }

  see(runs) {
    this.#runs = new Map(runs.map((run) => [run.id, run]));
  }

  choose(ids, wanted) {
    this.untouched = false;
    for (const id of ids) {
      if (wanted) this.chosen.add(id);
      else this.chosen.delete(id);
    }
  }

  colour(setting) {
    this.setting = setting;
    this.#off.clear();
  }

  get runs() {
    return [...this.#runs.values()].filter(({ id }) => this.chosen.has(id));
  }

  nameOf(id) {
    return this.#runs.get(id)?.name ?? id;
  }

  /** A run's cell where all are of one sweep, else its name, with the id where another chosen run has the same. */
  runLabel(id) {
    const run = this.#runs.get(id);
    if (run === undefined) return id;
    const sweep = sweepOf(run);
    if (sweep !== undefined && this.runs.every((each) => sweepOf(each) === sweep)) return cellText(run);
    const shared = this.runs.some((each) => each.id !== id && each.name === run.name);
    return shared ? `${run.name} ${id}` : run.name;
  }

  /** @param arm `ID/ARM` */
  armLabel(arm) {
    const [id] = arm.split('/');
    return this.chosen.size > 1 ? `${this.runLabel(id)} · ${armName(arm)}` : armName(arm);
  }

  /** By what curves can be coloured: settings in which the compared cells differ. */
  get settings() {
    return varied(this.runs.filter((run) => sweepOf(run) !== undefined));
  }

  toggle(key) {
    if (!this.#off.delete(key)) this.#off.add(key);
  }

  /**
   * Gives every arm of the store its look.
   * @returns the legend, as groups `{title, entries: [{key, text, color, dash, on}]}`; undefined where arms have their own colours
   */
  colourArms(store) {
    const arms = [...store.arms.values()];
    if (!this.settings.includes(this.setting)) {
      for (const arm of arms.filter(({ look }) => look !== undefined))
        Object.assign(arm, { look: undefined, hidden: false });
      return undefined;
    }
    const valueOf = ({ run }) => this.#runs.get(run.split('/')[0])?.labels[this.setting] ?? NONE;
    const trained = arms.filter(({ run }) => !isBase(run));
    const values = [...new Set(trained.map(valueOf))].sort(ascending);
    const names = [...new Set(trained.map(({ run }) => armName(run)))];
    const colors = new Map(values.map((value, at) => [value, rampColor(at, values.length)]));
    // The arm that comes last is drawn through.
    const dashes = new Map(names.map((name, at) => [name, DASHES[names.length - 2 - at]]));
    for (const arm of arms) {
      const [value, name] = [valueOf(arm), armName(arm.run)];
      const base = isBase(arm.run);
      const color = base ? '--c0' : colors.get(value);
      const group = base
        ? name
        : names.length > 1
          ? `${this.setting} ${value} · ${name}`
          : `${this.setting} ${value}`;
      const rank = base ? -1 : values.indexOf(value) * names.length + names.indexOf(name);
      arm.look = { color, dash: dashes.get(name), group, rank };
      arm.hidden = this.#off.has(`arm ${name}`) || (!base && this.#off.has(`value ${value}`));
    }
    const entry = (kind, text, look) => ({
      key: `${kind} ${text}`,
      text,
      on: !this.#off.has(`${kind} ${text}`),
      ...look,
    });
    const bases = arms.some(({ run }) => isBase(run)) ? [entry('arm', 'base', { color: '--c0' })] : [];
    return [
      {
        title: this.setting,
        entries: values.map((text) => entry('value', text, { color: colors.get(text) })),
      },
      {
        title: 'arm',
        entries: [
          ...bases,
          ...names.map((text) => entry('arm', text, { color: '--text', dash: dashes.get(text) })),
        ],
      },
    ];
  }
}
