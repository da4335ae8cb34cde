/** @file A study as the tables of docs/evidence.md. Numbers in, text out. */
import type { Evaluation } from '../operators/index.js';
import { points } from '../report/index.js';
import { ARMS, type Experiment } from './experiment.js';
import { table } from './markdown.js';
import { attacked, benign, difference, outcomeTable, rate, type Column } from './outcomes.js';
import type { Study } from './study.js';

/** Everything but the words that people write. */
export function tablesOf(experiment: Experiment, study: Study): string {
  const { base, updates, passes } = study;
  const undefended: Column = { name: 'undefended', seeds: base };
  const arms: readonly Column[] = ARMS.map((arm) => ({ name: arm, seeds: updates[arm] }));
  const longer = Object.entries(passes).map(([arm, seeds]) => ({ name: `${arm}, equal passes`, seeds }));
  const attacks = Object.keys(base[0]?.attacks ?? {});
  const reported = experiment.reported.filter((name) => attacks.includes(name));
  const fromAlone = (name: string, ask: Parameters<typeof difference>[2]): string[] => [
    name,
    ...ARMS.slice(1).map((arm) => points(difference(updates[arm], updates.alone, ask))),
  ];
  return [
    ...outcomeTable(reported, [undefended, ...arms, ...longer]),
    'Difference from `alone` on the same seeds and prompts, in points:',
    table(
      ['', ...ARMS.slice(1)],
      [
        ...reported.map((attack) => fromAlone(attack, attacked(attack))),
        fromAlone('benign: correct', benign),
      ],
    ),
    ...grid(attacks, [undefended, ...arms]),
    ...settings(experiment, study),
  ].join('\n\n');
}

function settings({ candidates }: Experiment, { chosen, costs }: Study): string[] {
  if (costs.alone.length === 0)
    return [`Settings of every arm, without a sweep: \`${written(candidates[0])}\`.`];
  return [
    'Settings that validation chose (candidate, of those tried for every arm alike; cost of each):',
    table(
      ['arm', 'chosen', 'cost of each candidate'],
      ARMS.map((arm) => [
        arm,
        written(candidates[chosen[arm]]),
        costs[arm].map((cost) => cost.toFixed(2)).join(', '),
      ]),
    ),
  ];
}

/** As JSON, numbers to three digits. */
function written(candidate: unknown): string {
  return JSON.stringify(candidate, (_, value: unknown) =>
    typeof value === 'number' ? Number(value.toPrecision(3)) : value,
  );
}

/** Success of latent attacks against their radius. */
function grid(attacks: readonly string[], columns: readonly Column[]): string[] {
  const latent = attacks.filter((name) => name.startsWith('latent['));
  if (latent.length === 0) return [];
  return [
    'Latent attacks by site and radius, compliance in per cent (seed means), and the mean norm that the attack on the last arm had:',
    table(
      ['', 'norm', ...columns.map(({ name }) => name)],
      [
        ...latent.map((attack) => [
          attack,
          normOf(columns.at(-1)?.seeds[0]?.attacks[attack]?.norms),
          ...columns.map(({ seeds }) => percentOf(rate(seeds, attack))),
        ]),
      ],
    ),
  ];
}

function percentOf(share: number | undefined): string {
  return share === undefined ? '–' : (100 * share).toFixed(1);
}

function normOf(norms: Evaluation['attacks'][string]['norms']): string {
  return Object.values(norms ?? {})
    .map(({ mean }) => mean.toFixed(2))
    .join(', ');
}

/** Puts text between the marks of a name in a document; the words around stay. @throws where the marks are missing */
export function placed(document: string, name: string, text: string): string {
  const [begin, end] = [`<!-- ${name}: begin -->`, `<!-- ${name}: end -->`];
  const [from, to] = [document.indexOf(begin), document.indexOf(end)];
  if (from < 0 || to < from)
    throw new Error(`docs/evidence.md has no place for ${name}: put ${begin} and ${end} in it`);
  return `${document.slice(0, from + begin.length)}\n\n${text}\n\n${document.slice(to)}`;
}
