/** @file What the cells of a sweep came to, as tables: means over seeds, and every cell, as the daemon has counted them. */
import { element, setText } from '../../monitor/viewer/dom.js';
import { percent } from '../../monitor/viewer/format.js';
import { SortedTable } from './sorted-table.js';
import { settingsOf, cellText } from './sweeps.js';

/** While something is counted or moves, the daemon is asked again at most so often. */
const NOT_AGAIN_MILLISECONDS = 1500;

export class SweepTables {
  #arm = element('select', { name: 'sweep-arm', onchange: () => void this.#ask(this.#mark) });
  #said = element('p', { class: 'dim', role: 'status' });
  #means = new SortedTable('Means over seeds, with 95 % intervals by the bootstrap over seeds and requests');
  #cells;
  #view;
  #mark;
  #asked = -Infinity;

  /** @param asked {sweep(name, arm): what the daemon tells of it, choose(id, wanted)} */
  constructor(name, asked) {
    Object.assign(this, { name, asked });
    this.#cells = new SortedTable('Cells, with 95 % Wilson intervals', asked.choose);
    const arm = element('label', { class: 'dim', hidden: true }, 'Figures of ', this.#arm);
    this.root = element('div', { class: 'outcomes' }, arm, this.#said, this.#means.root, this.#cells.root);
  }

  /** @param cells runs, one a cell. @param chosen ids of those that are compared */
  update(cells, chosen) {
    Object.assign(this, { cells, chosen });
    const mark = JSON.stringify(cells.map(({ id, state, live }) => [id, state, live?.progress?.part]));
    const counting = this.#view?.means.some(({ measures }) => measures === null);
    if ((mark !== this.#mark || counting) && performance.now() - this.#asked > NOT_AGAIN_MILLISECONDS)
      void this.#ask(mark);
    this.#draw();
  }

  async #ask(mark) {
    this.#asked = performance.now();
    const arm = this.#arm.value || undefined;
    try {
      const view = await this.asked.sweep(this.name, arm);
      if ((this.#arm.value || undefined) !== arm) return; // another was chosen meanwhile
      this.#mark = mark;
      this.#view = view;
      this.#offer(view);
      setText(this.#said, sayingOf(view));
    } catch (error) {
      setText(this.#said, `Its figures could not be had: ${error.message}`);
    }
    this.#draw();
  }

  #offer({ arms, arm }) {
    const names = arms.join();
    if (this.#arm.dataset.names !== names) {
      this.#arm.dataset.names = names;
      this.#arm.replaceChildren(...arms.map((name) => element('option', { value: name }, name)));
    }
    this.#arm.value = arm ?? '';
    this.#arm.parentElement.hidden = arms.length === 0;
  }

  #draw() {
    const told = new Map(this.#view?.cells.map((cell) => [cell.run, cell]));
    const measured = titlesIn([...told.values()]);
    this.#drawMeans(this.#view?.means ?? [], measured);
    const names = [...new Set(this.cells.flatMap((run) => Object.keys(settingsOf(run))))];
    const why = (run) => told.get(run.id)?.damage ?? (run.state === 'done' ? null : run.reason);
    const anyWhy = this.cells.some(why);
    const rows = this.cells.map((run) => {
      const label = `Compare ${cellText(run)} ${run.id}`;
      const settings = settingsOf(run);
      return [
        { pick: { id: run.id, checked: this.chosen.has(run.id), label } },
        ...names.map((name) => settingCell(settings[name] ?? '')),
        { text: run.goal === null ? run.state : `${run.state} → ${run.goal}`, dim: true },
        ...figures(told.get(run.id)?.measures ?? [], measured),
        ...(anyWhy ? [{ text: firstLine(why(run)), dim: true, tone: 'why' }] : []),
      ];
    });
    this.#cells.draw(['', ...names, 'state', ...headOf(measured), ...(anyWhy ? ['why'] : [])], rows);
  }

  #drawMeans(means, measured) {
    const names = [...new Set(means.flatMap(({ settings }) => Object.keys(settings)))];
    const rows = means.map(({ settings, runs, damage, measures }) => [
      ...names.map((name) => settingCell(textOf(settings[name]))),
      {
        text: damage ?? (measures === null ? `${runs.length}, being counted` : String(runs.length)),
        dim: true,
      },
      ...figures(measures ?? [], measured),
    ]);
    this.#means.draw([...names, 'seeds', ...headOf(measured)], rows);
  }
}

function sayingOf({ arm, cells, means }) {
  if (arm === null) return 'Nothing has been evaluated yet.';
  const evaluated = cells.filter(({ measures }) => measures.length > 0).length;
  const counting = means.filter(({ measures }) => measures === null).length;
  const more = counting === 0 ? '' : `, ${counting} of ${means.length} means being counted`;
  return `${evaluated} of ${cells.length} evaluated${more}. Incoherent: the largest share under any attack.`;
}

const titleOf = ({ name, counts }) => `${name}: ${counts === 'comply' ? 'complies' : 'correct'}`;

/** What was measured in any of them: attacks first. */
function titlesIn(cells) {
  const all = cells.flatMap(({ measures }) => measures);
  const attacks = all.filter(({ counts }) => counts === 'comply');
  return [...new Map([...attacks, ...all].map((measure) => [titleOf(measure), measure])).values()];
}

function headOf(measured) {
  const attacked = measured.some(({ counts }) => counts === 'comply');
  return [...measured.map(titleOf), ...(attacked ? ['incoherent'] : [])];
}

/** One cell of a table for each of {@link headOf}. */
function figures(measures, measured) {
  const found = measured.map((each) => measures.find((measure) => titleOf(measure) === titleOf(each)));
  const attacked = measured.some(({ counts }) => counts === 'comply');
  return [...found.map(figureCell), ...(attacked ? [incoherentCell(measures)] : [])];
}

function figureCell(measure) {
  if (measure === undefined) return { sort: null };
  const { counts, estimate, low, high } = measure;
  const [from, to] = [low, high].map((end) => (100 * end).toFixed(1));
  const tone = counts === 'comply' ? 'bad' : 'good';
  return { text: percent(estimate), small: `[${from}, ${to}]`, sort: estimate, share: estimate, tone };
}

/** The most under any attack: damage must not be taken for safety. */
function incoherentCell(measures) {
  const shares = measures.flatMap(({ incoherent, n }) => (incoherent === null ? [] : [incoherent / n]));
  if (shares.length === 0) return { sort: null };
  const most = Math.max(...shares);
  return { text: percent(most), sort: most, share: most, tone: 'warn' };
}

function settingCell(text) {
  return { text, sort: text === '' ? null : Number.isNaN(Number(text)) ? text : Number(text) };
}

/** As the labels of runs have it: words bare, everything else as JSON. */
function textOf(value) {
  return typeof value === 'string' ? value : (JSON.stringify(value) ?? '');
}

function firstLine(text) {
  return (text ?? '').split('\n')[0].slice(0, 300);
}
