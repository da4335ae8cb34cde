/** @file `latstream report`: runs, finished or not, as one HTML file or as Markdown; or their pooled figures as JSON. */
import { mkdir } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { Command } from 'commander';
import { writeAtomically } from '../formats/index.js';
import { experimentsOf, htmlOf, markdownOf, reportOf, type Experiment } from '../report/index.js';
import { checkOutFile } from './outputs.js';
import { readRun } from './run/read-run.js';

interface ReportOptions {
  readonly out?: string;
  readonly json?: boolean;
}

export function addReport(program: Command): void {
  program
    .command('report')
    .description(
      'show runs: outcomes with intervals, curves, compute, samples, recipes; seeds of one recipe are pooled',
    )
    .argument('<runs...>', 'directories of runs, finished or not')
    .option(
      '--out <file>',
      'HTML, or Markdown (.md) with its figures in a folder beside it (default: report.html)',
    )
    .option('--json', 'print the pooled figures as JSON; writes a file only with --out')
    .action((directories: string[], options: ReportOptions) => report(directories, options));
}

async function report(directories: readonly string[], { out, json }: ReportOptions): Promise<void> {
  const file = out ?? (json ? undefined : 'report.html');
  if (file !== undefined) await checkOutFile(file);
  const runs = [];
  for (const directory of directories) runs.push(await readRun(directory));
  const experiments = experimentsOf(runs);
  if (file !== undefined) await writeReport(file, experiments);
  process.stdout.write(
    json ? `${JSON.stringify(experiments.map(figuresOfExperiment), null, 2)}\n` : `${file ?? ''}\n`,
  );
}

/** HTML, or Markdown where the file's name ends so. */
export async function writeReport(file: string, experiments: readonly Experiment[]): Promise<void> {
  const report = reportOf(experiments);
  if (!file.endsWith('.md')) return writeAtomically(file, [htmlOf(report)]);
  const { text, figures } = markdownOf(report, `${basename(file, '.md')}-figures`);
  for (const [path, drawing] of figures) {
    const place = join(dirname(file), path);
    await mkdir(dirname(place), { recursive: true });
    await writeAtomically(place, [drawing]);
  }
  return writeAtomically(file, [text]);
}

export function figuresOfExperiment({ recipe, runs, models, reference, measures }: Experiment): object {
  const compute = runs.flatMap((run) =>
    run.models
      .filter(({ name }) => name !== 'base')
      .map(({ name, steps, compute: { passes, ...rest } }) => ({
        arm: name,
        seed: run.recipe.seed,
        steps,
        ...passes,
        ...rest,
      })),
  );
  const seeds = runs.map((run) => run.recipe.seed);
  return {
    recipe,
    seeds,
    runs: runs.map(({ directory }) => directory),
    models,
    reference,
    measures,
    compute,
  };
}
