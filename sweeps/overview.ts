/** @file What sweeps in a queue came to, for whoever looks often: found by the labels of runs, and counted again only where one moved. */
import type { Queue, RunView } from '../daemon/index.js';
import { complain } from '../foundation/index.js';
import { checkRecipe } from '../recipes/index.js';
import type { Cell } from './cells.js';
import { cellIn } from './labels.js';
import { MeansThread, type Mean, type MeansRequest } from './means.js';
import { hasSeeds, measuresOf, outcomeOf, withoutSeed } from './outcomes.js';
import { seedlessDigest } from './plan.js';
import type { Measures, SweepView } from './protocol.js';
import { damageIn, runsByCell, type Standing } from './queue.js';

/** Sweeps that are remembered: those that were asked for last. */
const MOST_SWEEPS = 8;

type Records = Pick<Queue, 'all' | 'recipe' | 'evaluations'>;

/** A cell as it stood when it was read: figures, no outcomes. */
interface KnownCell {
  readonly mark: string;
  readonly cell: Cell;
  /** The same in cells that differ in nothing but their seed. */
  readonly group: string;
  readonly damage: string | null;
  readonly arms: ReadonlyMap<string, Measures>;
}

/** What is remembered of one sweep. */
interface Known {
  /** By run. */
  readonly cells: Map<string, KnownCell>;
  /** By group and arm: of which runs, and what came of it once it is counted. */
  readonly means: Map<string, { readonly of: string; mean?: Mean }>;
}

export class Overviews {
  readonly #known = new Map<string, Known>();
  readonly #thread = new MeansThread();
  #last: Promise<unknown> = Promise.resolve();

  constructor(private readonly queue: Records) {}

  /**
   * Those who ask at once are answered one after the other, and nobody waits for means.
   * @param arm see `sweepQuery`. @throws SWEEP_UNKNOWN, and what the queue throws
   */
  of(name: string, arm?: string): Promise<SweepView> {
    const view = this.#last.then(() => this.#look(name, arm));
    this.#last = view.catch(() => undefined);
    return view;
  }

  async #look(name: string, asked?: string): Promise<SweepView> {
    const runs = [...runsByCell(await this.queue.all(), name).values()].flatMap((all) => all.slice(-1));
    const [first] = runs;
    if (first === undefined) return refuseUnknown(name);
    const known = this.#remembered(name);
    const cells: KnownCell[] = [];
    for (const run of runs) cells.push(await this.#cell(run, known));
    const arms = [...new Set(cells.flatMap((each) => [...each.arms.keys()]))];
    const arm = asked ?? arms.at(-1) ?? null;
    return {
      ...{ name, arms, arm },
      settings: cellIn(first.labels).map((setting) => setting.name),
      cells: cells.map(({ cell, damage, arms: measured }, at) => ({
        ...{ run: runs[at]?.id ?? '', settings: settingsOf(cell), damage },
        measures: measured.get(arm ?? '') ?? [],
      })),
      means: arm !== null && hasSeeds(cells) ? this.#means(runs, cells, arm, known) : [],
    };
  }

  #remembered(name: string): Known {
    const known = this.#known.get(name) ?? { cells: new Map(), means: new Map() };
    this.#known.delete(name);
    this.#known.set(name, known);
    const [oldest] = this.#known.keys();
    if (this.#known.size > MOST_SWEEPS && oldest !== undefined) this.#known.delete(oldest);
    return known;
  }

  async #cell(run: RunView, { cells }: Known): Promise<KnownCell> {
    const mark = placeOf(run);
    const known = cells.get(run.id);
    if (known?.mark === mark) return known;
    const standing = await this.#standing(run);
    const outcome = outcomeOf(standing);
    const cell: KnownCell = {
      ...{ mark, cell: standing.cell, damage: standing.damage ?? null },
      group: seedlessDigest(standing.recipe),
      arms: new Map(standing.models.map(({ name }) => [name, measuresOf(outcome, name)])),
    };
    cells.set(run.id, cell);
    return cell;
  }

  #means(
    runs: readonly RunView[],
    cells: readonly KnownCell[],
    arm: string,
    known: Known,
  ): SweepView['means'] {
    const groups = new Map<string, RunView[]>();
    runs.forEach((run, at) => {
      const { group = '', arms } = cells[at] ?? {};
      if (arms?.has(arm)) groups.set(group, [...(groups.get(group) ?? []), run]);
    });
    return [...groups].map(([group, members]) => {
      const mean = this.#mean(`${group} ${arm}`, members, arm, known);
      return {
        settings: settingsOf(withoutSeed(cellIn(members[0]?.labels ?? {}))),
        runs: members.map(({ id }) => id),
        damage: mean?.damage ?? null,
        measures: mean?.measures ?? null,
      };
    });
  }

  /** Undefined while it is being counted. */
  #mean(key: string, members: readonly RunView[], arm: string, { cells, means }: Known): Mean | undefined {
    const [only, ...others] = members.map(({ id }) => id);
    if (only !== undefined && others.length === 0)
      return { damage: null, measures: cells.get(only)?.arms.get(arm) ?? [] };
    const of = members.map(({ id }) => id).join(' ');
    const before = means.get(key);
    if (before?.of === of) return before.mean;
    const counting: { readonly of: string; mean?: Mean } = { of };
    means.set(key, counting);
    const request = async (): Promise<MeansRequest> => {
      const standings: Standing[] = [];
      for (const run of members) standings.push(await this.#standing(run));
      return { standings, arm };
    };
    void this.#thread.count(request).then((mean) => (counting.mean = mean));
    return undefined;
  }

  async #standing(run: RunView): Promise<Standing> {
    const recipe = checkRecipe(await this.queue.recipe(run.id), `run ${run.id}`);
    const planned = { cell: cellIn(run.labels), recipe, digest: run.labels['cell'] ?? '' };
    const evaluated =
      run.started === null ? { models: [] } : await this.queue.evaluations(run.id).catch(damageIn);
    return { ...planned, run, ...evaluated };
  }
}

/** Another one where there may be new evaluations. */
function placeOf({ state, attempts, live }: RunView): string {
  return JSON.stringify([state, attempts, live?.progress?.part]);
}

function settingsOf(cell: Cell): SweepView['cells'][number]['settings'] {
  return Object.fromEntries(cell.map(({ name, value }) => [name, value])) as ReturnType<typeof settingsOf>;
}

function refuseUnknown(name: string): never {
  return complain({
    code: 'SWEEP_UNKNOWN',
    owner: 'daemon',
    expected: 'a sweep that has runs here',
    got: name.slice(0, 100),
    hint: 'runs of a sweep have its name as their label sweep',
  });
}
