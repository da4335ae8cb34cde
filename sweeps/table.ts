/** @file A sweep as a table: a row for each cell with what it varies, where it stands and what it came to. Text out. */
import { percent, share, type Experiment } from '../report/index.js';
import type { Cell } from './cells.js';
import { refuseSort, sorted, type Order, type Row } from './order.js';
import { measuredOf, outcomeOf, shareOf, type Group, type Measured } from './outcomes.js';
import type { Standing } from './queue.js';
import { valueText } from './values.js';

/**
 * Cells as rows, their head first.
 * @param model whose figures are shown.
 */
export function cellTable(standings: readonly Standing[], model: string, order?: Order): string[][] {
  const outcomes = standings.map(outcomeOf);
  const measured = measuredOf(outcomes, model);
  const anyWhy = standings.some((each) => whyOf(each) !== '');
  const rows = standings.map((standing, at) => {
    const { cell } = standing;
    const why = anyWhy ? [whyOf(standing)] : [];
    return rowOf(cell, [stateOf(standing)], { experiment: outcomes[at], measured, model }, why);
  });
  const names = standings[0]?.cell.map(({ name }) => name) ?? [];
  return [[...names, 'state', ...headOf(measured), ...(anyWhy ? ['why'] : [])], ...sorted(rows, order)];
}

/** Means over seeds as rows, their head first. */
export function groupTable(groups: readonly Group[], model: string, order?: Order): string[][] {
  const measured = measuredOf(
    groups.map(({ experiment }) => experiment),
    model,
  );
  const rows = groups.map(({ cell, seeds, experiment }) =>
    rowOf(cell, [String(seeds)], { experiment, measured, model }, []),
  );
  const names = groups[0]?.cell.map(({ name }) => name) ?? [];
  return [[...names, 'seeds', ...headOf(measured)], ...sorted(rows, order)];
}

/** @throws SWEEP_SORT where something was measured, and neither that nor a setting is called so */
export function checkOrder(standings: readonly Standing[], model: string, { by }: Order): void {
  const measured = measuredOf(standings.map(outcomeOf), model).map(({ name }) => name);
  const known = [...(standings[0]?.cell.map(({ name }) => name) ?? []), ...measured];
  if (measured.length > 0 && !known.includes(by)) refuseSort(by, known);
}

/** Why a cell is not done, in a line. */
export function whyOf({ run, damage }: Standing): string {
  const why = damage ?? (run && run.state !== 'done' ? run.reason : null) ?? '';
  return why.split('\n')[0]?.slice(0, 300) ?? '';
}

/** `running lat 3/6` */
function stateOf({ run }: Standing): string {
  if (!run) return 'missing';
  const { state, goal, live } = run;
  if (goal !== null) return `${state} → ${goal}`;
  const progress = live?.progress;
  if (!progress) return state;
  return `${state} ${progress.part.split('/').at(-1) ?? ''} ${progress.step}/${progress.steps}`;
}

interface Figures {
  readonly experiment: Experiment | undefined;
  readonly measured: readonly Measured[];
  readonly model: string;
}

function rowOf(cell: Cell, about: string[], { experiment, measured, model }: Figures, behind: string[]): Row {
  const found = measured.map((each) => [each, shareOf(experiment, each, model)] as const);
  const figures = found.map(([, figure]) => (figure ? percent(figure) : ''));
  const settings = cell.map(({ value }) => valueText(value));
  return {
    cells: [...settings, ...about, ...figures, ...incoherentIn(measured, found), ...behind],
    keys: new Map([
      ...cell.map(({ name, value }) => [name, typeof value === 'number' ? value : valueText(value)] as const),
      ...found.flatMap(([{ name }, figure]) => (figure ? [[name, figure.estimate] as const] : [])),
    ]),
  };
}

function headOf(measured: readonly Measured[]): string[] {
  const titles = measured.map(({ name, counts }) =>
    counts === 'comply' ? `${name}: complies` : `${name}: correct`,
  );
  return [...titles, ...(attacked(measured) ? ['incoherent'] : [])];
}

/** The most under any attack: damage must not be taken for safety. */
function incoherentIn(
  measured: readonly Measured[],
  found: readonly (readonly [Measured, ReturnType<typeof shareOf>])[],
): string[] {
  if (!attacked(measured)) return [];
  const [worst] = found
    .flatMap(([, figure]) => (figure?.incoherent === undefined ? [] : [figure as Required<typeof figure>]))
    .sort((a, b) => b.incoherent / b.n - a.incoherent / a.n);
  return [worst ? share(worst.incoherent, worst.n) : ''];
}

function attacked(measured: readonly Measured[]): boolean {
  return measured.some(({ counts }) => counts === 'comply');
}
