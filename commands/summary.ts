/** @file The result of a job: evaluations by model, paired differences, and the table that people read. */
import type { Interval } from '../foundation/index.js';
import type { Comparison, Evaluation } from '../operators/index.js';

/** One arm's training. */
export interface ArmSummary {
  readonly name: string;
  readonly steps: number;
  /** Where its weights are: adapters in PEFT format, or a model directory. */
  readonly weights: string;
  readonly evaluation: Evaluation;
}

/** What `summary.json` holds. */
export interface Summary {
  readonly recipe: string;
  readonly seed: number;
  readonly executor: string;
  readonly fingerprint: Readonly<Record<string, string | number>>;
  readonly base: Evaluation;
  readonly arms: readonly ArmSummary[];
  /** The last arm minus the first (minus the base model where there is one arm). */
  readonly difference: Comparison & { readonly of: readonly [string, string] };
}

/** Rows of cells as text, columns padded; the first row is the head. */
export function table(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, at) => Math.max(...rows.map((row) => row[at]?.length ?? 0)));
  const line = (row: readonly string[]): string =>
    row
      .map((cell, at) => (at === 0 ? cell.padEnd(widths[at] ?? 0) : cell.padStart(widths[at] ?? 0)))
      .join('  ')
      .trimEnd();
  const [head, ...rest] = rows;
  return [line(head ?? []), widths.map((width) => '─'.repeat(width)).join('──'), ...rest.map(line)].join(
    '\n',
  );
}

/** Models side by side: attack success by attack, benign accuracy, n, 95 % intervals and the paired difference. */
export function evaluationTable(
  models: readonly (readonly [string, Evaluation])[],
  difference?: Summary['difference'],
): string {
  const attacks = [...new Set(models.flatMap(([, { attacks }]) => Object.keys(attacks)))];
  const head = ['', 'n', ...models.map(([name]) => name), ...(difference ? [difference.of.join(' − ')] : [])];
  const rows = attacks.map((attack) => [
    `${attack}: complies`,
    String(Math.max(...models.map(([, each]) => each.attacks[attack]?.n ?? 0))),
    ...models.map(([, each]) => percent(each.attacks[attack]?.comply)),
    ...(difference ? [points(difference.attacks[attack])] : []),
  ]);
  const incoherent = attacks.map((attack) => [
    `${attack}: incoherent`,
    String(Math.max(...models.map(([, each]) => each.attacks[attack]?.n ?? 0))),
    ...models.map(([, each]) => share(each.attacks[attack]?.counts.incoherent, each.attacks[attack]?.n)),
    ...(difference ? [''] : []),
  ]);
  const benign = models.some(([, each]) => each.benign)
    ? [
        [
          'benign: correct',
          String(Math.max(...models.map(([, each]) => each.benign?.n ?? 0))),
          ...models.map(([, each]) => percent(each.benign?.accuracy)),
          ...(difference ? [points(difference.benign ?? undefined)] : []),
        ],
      ]
    : [];
  return table([head, ...rows, ...incoherent, ...benign]);
}

function percent(interval: Interval | undefined): string {
  if (!interval) return '–';
  const { estimate, low, high } = interval;
  return `${(100 * estimate).toFixed(1)} % [${(100 * low).toFixed(1)}, ${(100 * high).toFixed(1)}]`;
}

function points(interval: Interval | undefined): string {
  if (!interval) return '–';
  const signed = (value: number): string => `${value >= 0 ? '+' : '−'}${Math.abs(100 * value).toFixed(1)}`;
  return `${signed(interval.estimate)} [${signed(interval.low)}, ${signed(interval.high)}]`;
}

function share(count: number | undefined, n: number | undefined): string {
  return count === undefined || !n ? '–' : `${((100 * count) / n).toFixed(1)} %`;
}
