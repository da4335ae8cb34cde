/** @file The result of a job: evaluations by model, paired differences, and the table that people read. */
import type { BenignOutcome, Comparison, Evaluation } from '../../operators/index.js';
import { figuresOf, figureText, percent, points, share, type Figure } from '../../report/index.js';

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
  /** Of latstream. */
  readonly version: string;
  readonly seed: number;
  readonly executor: string;
  readonly fingerprint: Readonly<Record<string, string | number>>;
  readonly base: Evaluation;
  readonly arms: readonly ArmSummary[];
  /** The last arm minus the first (minus the base model where there is one arm). */
  readonly difference: Comparison & { readonly of: readonly [string, string] };
}

/** Rows of cells as text, columns padded; the first row is the head. */
export function tableOf(rows: readonly (readonly string[])[]): string {
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
  const cells = (
    name: string,
    n: (each: Evaluation) => number | undefined,
    of: (each: Evaluation) => string,
    change = '',
  ): string[] => [
    name,
    String(Math.max(...models.map(([, each]) => n(each) ?? 0))),
    ...models.map(([, each]) => of(each)),
    ...(difference ? [change] : []),
  ];
  const attacks = namesIn(models, ({ attacks }) => attacks);
  const probes = namesIn(models, ({ probes = {} }) => probes);
  const asked = models.some(([, each]) => each.benign) ? ['benign'] : [];
  const table = (each: Evaluation, name: string): BenignOutcome | null | undefined =>
    name === 'benign' ? each.benign : each.probes?.[name];
  return tableOf([
    ['', 'n', ...models.map(([name]) => name), ...(difference ? [difference.of.join(' − ')] : [])],
    ...attacks.map((attack) =>
      cells(
        `${attack}: complies`,
        (each) => each.attacks[attack]?.n,
        (each) => percent(each.attacks[attack]?.comply),
        points(difference?.attacks[attack]),
      ),
    ),
    ...attacks.map((attack) =>
      cells(
        `${attack}: incoherent`,
        (each) => each.attacks[attack]?.n,
        (each) => share(each.attacks[attack]?.counts.incoherent, each.attacks[attack]?.n),
      ),
    ),
    ...[...asked, ...probes].map((name) =>
      cells(
        `${name}: correct`,
        (each) => table(each, name)?.n,
        (each) => percent(table(each, name)?.accuracy),
        name === 'benign' ? points(difference?.benign ?? undefined) : '',
      ),
    ),
    ...namesIn(models, figures).map((name) =>
      cells(
        name,
        (each) => figures(each)[name]?.n,
        (each) => figureText(figures(each)[name]),
      ),
    ),
  ]);
}

/** By name. */
function figures(evaluation: Evaluation): Readonly<Record<string, Figure>> {
  return Object.fromEntries(figuresOf(evaluation).map((figure) => [figure.name, figure]));
}

function namesIn(
  models: readonly (readonly [string, Evaluation])[],
  of: (each: Evaluation) => Readonly<Record<string, unknown>>,
): string[] {
  return [...new Set(models.flatMap(([, each]) => Object.keys(of(each))))];
}
