/** @file `npm run evidence`: runs the experiments of docs/evidence.md and writes their tables into it. Takes hours; what is done is kept. */
import { mkdir, readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Command, InvalidArgumentError } from 'commander';
import { writeAtomically } from '../formats/index.js';
import { backdoor } from './backdoor.js';
import { placed, tablesOf } from './document.js';
import type { Experiment } from './experiment.js';
import { further, type Further } from './further.js';
import { furtherTables } from './further-tables.js';
import { jailbreak } from './jailbreak.js';
import { evaluated, relearned, trained, trajectories } from './run-cli.js';
import { unlearning } from './unlearning.js';
import { study } from './study.js';

// This file runs as dist/evidence/main.js.
const root = fileURLToPath(new URL('../..', import.meta.url));
const EXPERIMENTS: readonly Experiment[] = [jailbreak, backdoor, unlearning];

const program = new Command('evidence')
  .description('Runs the experiments of docs/evidence.md, seed by seed, and writes their tables.')
  .option('--seeds <n>', 'fresh seeds of each arm', positive, 5)
  .option('--only <names...>', `of ${EXPERIMENTS.map(({ name }) => name).join(', ')}`)
  .option('--candidates <n>', 'at most so many settings are tried; with 1, the first is taken', positive)
  .option('--no-further', 'leave out what is asked of the first seed alone: costly attacks, re-learning')
  .option('--out <folder>', 'runs, which are gone on with', join(root, 'runs/evidence'))
  .option('--document <file>', 'where the tables go', join(root, 'docs/evidence.md'))
  .parse();
const options = program.opts<{
  seeds: number;
  only?: string[];
  candidates?: number;
  further: boolean;
  out: string;
  document: string;
}>();

for (const experiment of EXPERIMENTS.filter(({ name }) => options.only?.includes(name) ?? true)) {
  const candidates = experiment.candidates.slice(0, options.candidates);
  const { out, seeds } = options;
  const note = (text: string): void => console.error(text);
  const found = await study({ ...experiment, candidates }, seeds, out, {
    train: (overlay, into) => trained(root, overlay, into),
    note,
  });
  const runs = Array.from({ length: seeds }, (_, seed) => join(out, experiment.name, `updates-${seed}`));
  const drawn = await trajectories(root, runs, join(out, experiment.name));
  const figures = join(dirname(options.document), 'evidence');
  await mkdir(figures, { recursive: true });
  await writeAtomically(join(figures, `${experiment.name}.svg`), [drawn]);
  const more = options.further ? [furtherTables(await asked(experiment, note))] : [];
  const text = [tablesOf({ ...experiment, candidates }, found), ...more].join('\n\n');
  const document = await readFile(options.document, 'utf8');
  await writeAtomically(options.document, [placed(document, experiment.name, text)]);
}

function asked(experiment: Experiment, note: (text: string) => void): Promise<Further> {
  return further(experiment, options.out, {
    evaluated: (recipe, adapters, into) => evaluated(root, recipe, adapters, into),
    relearned: (run, recipe, oracle, into) => relearned(root, run, recipe, oracle, into),
    model: async (recipe, into) => (await trained(root, recipe, into)).arms[0]?.weights ?? into,
    note,
  });
}

function positive(text: string): number {
  const value = Number(text);
  if (Number.isInteger(value) && value > 0) return value;
  throw new InvalidArgumentError('Expected a whole number of at least 1.');
}
