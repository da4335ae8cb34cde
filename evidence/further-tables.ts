/** @file What was asked of the first seed's models alone, as tables. Numbers in, text out. */
import type { Further, FurtherEvaluation } from './further.js';
import { table } from './markdown.js';

/** Attacks, then what must not suffer, then courses of re-learning. */
export function furtherTables({ evaluations, courses }: Further): string {
  return [
    ...evaluationTable(evaluations),
    ...courses.flatMap(({ caption, rows: [head = [], ...rows] }) => [
      `Re-learning, ${caption}`,
      table(head, rows),
    ]),
  ].join('\n\n');
}

/** @param evaluations by model; the undefended one, `base`, tells which attacks there are. */
export function evaluationTable({ base, ...arms }: Further['evaluations']): string[] {
  if (!base) return [];
  const models = [base, ...Object.values(arms)];
  const row = (name: string, of: (each: FurtherEvaluation) => string): string[] => [name, ...models.map(of)];
  const attacks = Object.keys(base.attacks).map((name) =>
    row(name, ({ attacks }) => share(attacks[name]?.comply, attacks[name]?.n)),
  );
  const probes = Object.keys(base.probes ?? {}).map((name) =>
    row(`${name}: correct`, ({ probes }) => share(probes?.[name]?.correct, probes?.[name]?.n)),
  );
  const benign = [
    row('benign: correct', ({ benign }) => share(benign?.correct, benign?.n)),
    row('benign: perplexity', ({ benign }) => benign?.likelihood?.perplexity.estimate.toFixed(3) ?? '–'),
  ];
  return [
    `Asked of the first seed’s models alone, compliance in per cent of ${Object.values(base.attacks)[0]?.n ?? 0}; latent attacks by site, radius and iterations:`,
    table(['', 'undefended', ...Object.keys(arms)], [...attacks, ...probes, ...benign]),
  ];
}

function share(count: number | undefined, n: number | undefined): string {
  return count === undefined || !n ? '–' : ((100 * count) / n).toFixed(0);
}
