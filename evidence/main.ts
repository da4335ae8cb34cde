/** @file `npm run evidence`: runs the experiments of docs/evidence.md and writes their tables into it. Takes hours; what is done is kept. */
import { mkdir, readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Command, InvalidArgumentError } from 'commander';
import { writeAtomically } from '../formats/index.js';
import { backdoor } from './backdoor.js';
import { placed, tablesOf } from './document.js';
import type { Experiment, Overlay } from './experiment.js';
import { further } from './further.js';
import { furtherTables } from './further-tables.js';
import { jailbreak } from './jailbreak.js';
import { NAME as R2D2, r2d2 } from './r2d2.js';
import { drawing, evaluated, relearned, trained, type Drawn } from './run-cli.js';
import { unlearning } from './unlearning.js';
import { study } from './study.js';

// This file runs as dist/evidence/main.js.
const root = fileURLToPath(new URL('../..', import.meta.url));
const EXPERIMENTS: readonly Experiment[] = [jailbreak, backdoor, unlearning];

const program = new Command('evidence')
  .description('Runs the experiments of docs/evidence.md, seed by seed, and writes their tables.')
  .option('--seeds <n>', 'fresh seeds of each arm', positive, 5)
  .option('--only <names...>', `of ${[...EXPERIMENTS.map(({ name }) => name), R2D2].join(', ')}`)
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

const { out, seeds } = options;
const wanted = (name: string): boolean => options.only?.includes(name) ?? true;
const host = {
  train: (overlay: Overlay, into: string) => trained(root, overlay, into),
  evaluated: (recipe: Overlay, adapters: string | null, into: string) =>
    evaluated(root, recipe, adapters, into),
  relearned: (run: string, recipe: Overlay, oracle: string | null, into: string) =>
    relearned(root, run, recipe, oracle, into),
  model: async (recipe: Overlay, into: string) =>
    (await trained(root, recipe, into)).arms[0]?.weights ?? into,
  note: (text: string): void => console.error(text),
};

for (const experiment of EXPERIMENTS.filter(({ name }) => wanted(name))) {
  const { name } = experiment;
  const candidates = experiment.candidates.slice(0, options.candidates);
  const found = await study({ ...experiment, candidates }, seeds, out, host);
  const more = options.further ? [furtherTables(await further(experiment, out, host))] : [];
  const runs = Array.from({ length: seeds }, (_, seed) => join(out, name, `updates-${seed}`));
  const tables = [tablesOf({ ...experiment, candidates }, found), ...more];
  await written(name, tables.join('\n\n'), runs, 'Evaluations during training');
}
if (wanted(R2D2)) {
  const { text, runs } = await r2d2({ seeds, out, further: options.further }, host);
  await written(R2D2, text, runs, 'The same by tokens');
}

/** Into the document, at the place of its name, with a drawing beside it. */
async function written(name: string, text: string, runs: readonly string[], drawn: Drawn): Promise<void> {
  const figures = join(dirname(options.document), 'evidence');
  await mkdir(figures, { recursive: true });
  const picture = await drawing(root, runs, join(out, name), drawn);
  await writeAtomically(join(figures, `${name}.svg`), [picture]);
  const document = await readFile(options.document, 'utf8');
  await writeAtomically(options.document, [placed(document, name, text)]);
}

function positive(text: string): number {
  const value = Number(text);
  if (Number.isInteger(value) && value > 0) return value;
  throw new InvalidArgumentError('Expected a whole number of at least 1.');
}
