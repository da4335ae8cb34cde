/** @file A sweep as CSV: a row for each cell and model, shares from 0 to 1. Text out. */
import { figuresOf } from '../report/index.js';
import { outcomeOf } from './outcomes.js';
import type { Standing } from './queue.js';
import { valueText } from './values.js';

/** What is known of one model of one cell, by column. */
type Row = ReadonlyMap<string, string | number>;

/** Columns: what is varied, `state`, `run`, `model`, then figures, each with `low` and `high`; cells without any have one row. */
export function csvOf(standings: readonly Standing[]): string {
  const rows = standings.flatMap(rowsOf);
  const columns = [...new Set(rows.flatMap((row) => [...row.keys()]))];
  const lines = [columns, ...rows.map((row) => columns.map((column) => row.get(column) ?? ''))];
  return lines.map((line) => `${line.map(quoted).join(',')}\n`).join('');
}

function rowsOf(standing: Standing): Row[] {
  const { cell, run, models } = standing;
  const about = [
    ...cell.map(({ name, value }) => [name, valueText(value)] as const),
    ['state', run?.state ?? 'missing'] as const,
    ['run', run?.id ?? ''] as const,
  ];
  const measures = outcomeOf(standing)?.measures ?? [];
  if (models.length === 0) return [new Map(about)];
  return models.map(({ name, evaluation }) => {
    const row = new Map<string, string | number>([...about, ['model', name]]);
    for (const { name: measure, counts, models: shares } of measures) {
      const found = shares[name];
      if (!found) continue;
      const column = counts === 'comply' ? `${measure} complies` : `${measure} correct`;
      put(row, column, found);
      row.set(`${column} n`, found.n);
      if (found.incoherent !== undefined) row.set(`${measure} incoherent`, found.incoherent / found.n);
    }
    for (const figure of figuresOf(evaluation)) put(row, figure.name, figure.value);
    return row;
  });
}

function put(
  row: Map<string, string | number>,
  column: string,
  { estimate, low, high }: { readonly estimate: number; readonly low: number; readonly high: number },
): void {
  row.set(column, estimate).set(`${column} low`, low).set(`${column} high`, high);
}

/** As RFC 4180 has it. */
function quoted(value: string | number): string {
  const text = String(value);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
