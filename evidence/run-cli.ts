/** @file Runs the built command line as a child, as a user would; a run that was begun is gone on with. */
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { writeAtomically } from '../formats/index.js';
import type { Evaluation } from '../operators/index.js';
import type { Overlay } from './experiment.js';
import type { Course, FurtherEvaluation } from './further.js';

/** What is read of `summary.json`. */
export interface Finished {
  readonly base: Evaluation;
  readonly arms: readonly FinishedArm[];
}

export interface FinishedArm {
  readonly name: string;
  readonly steps: number;
  readonly evaluation: Evaluation;
  /** Folder of its model, or of its adapters. */
  readonly weights: string;
  /** Tokens that passed forward and backward in its training. */
  readonly tokens: number;
}

/**
 * Trains an overlay of a recipe into `out`, or goes on with it; done already, it is only read.
 * @param root of the package, built.
 */
export async function trained(root: string, overlay: Overlay, out: string): Promise<Finished> {
  const summary = join(out, 'summary.json');
  if (!existsSync(summary)) {
    const recipe = `${out}.json`;
    await mkdir(dirname(out), { recursive: true });
    await writeFile(recipe, JSON.stringify(overlay, null, 2));
    const begun = existsSync(join(out, 'recipe.json'));
    await cli(root, ['train', ...(begun ? ['--resume', out] : [recipe, '--out', out]), '--port', '0']);
  }
  const { base, arms } = JSON.parse(await readFile(summary, 'utf8')) as Finished;
  const passed = await tokensByArm(join(out, 'metrics.ndjson'));
  return { base, arms: arms.map((arm) => ({ ...arm, tokens: passed.get(arm.name) ?? 0 })) };
}

/** The last counts of a record. */
async function tokensByArm(path: string): Promise<Map<string, number>> {
  const passed = new Map<string, number>();
  for (const line of (await readFile(path, 'utf8')).split('\n')) {
    if (!line.includes('forwardTokens')) continue;
    const { run, values } = JSON.parse(line) as { run: string; values: Readonly<Record<string, number>> };
    const { forwardTokens = 0, backwardTokens = 0 } = values;
    passed.set(run.slice(run.indexOf('/') + 1), forwardTokens + backwardTokens);
  }
  return passed;
}

/** Evaluates a recipe with adapters; done already, it is only read. */
export async function evaluated(
  root: string,
  recipe: Overlay,
  adapters: string | null,
  out: string,
): Promise<FurtherEvaluation> {
  if (!existsSync(out)) {
    const file = out.replace(/\.json$/, '-recipe.json');
    await writeFile(file, JSON.stringify(recipe, null, 2));
    const put = adapters === null ? [] : ['--adapters', adapters];
    await writeAtomically(out, [await cli(root, ['evaluate', file, ...put, '--json'])]);
  }
  return JSON.parse(await readFile(out, 'utf8')) as FurtherEvaluation;
}

/** Re-learns all models of a run beside each other, or goes on with it. */
export async function relearned(
  root: string,
  run: string,
  recipe: Overlay,
  oracle: string | null,
  out: string,
): Promise<readonly Course[]> {
  const file = `${out}.json`;
  await writeFile(file, JSON.stringify(recipe, null, 2));
  const beside = oracle === null ? [] : ['--oracle', oracle];
  const printed = await cli(root, ['relearn', run, '--recipe', file, '--out', out, ...beside, '--json']);
  return (JSON.parse(printed) as { courses: Course[] }).courses;
}

/** What of a report is drawn: the beginning of its caption there. */
export type Drawn = 'Evaluations during training' | 'The same by tokens';

/** A drawing of a report on runs. */
export async function drawing(
  root: string,
  runs: readonly string[],
  out: string,
  drawn: Drawn,
): Promise<string> {
  const report = join(out, 'report.md');
  await cli(root, ['report', ...runs, '--out', report]);
  const found = new RegExp(`!\\[${drawn}[^\\]]*\\]\\(([^)]*)\\)`).exec(await readFile(report, 'utf8'));
  if (!found) throw new Error(`${report} does not draw: ${drawn}`);
  return readFile(join(out, decodeURI(found[1] as string)), 'utf8');
}

/** @returns what it printed. */
function cli(root: string, args: readonly string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [join(root, 'dist/cli.js'), ...args], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const printed: Buffer[] = [];
    child.stdout.on('data', (bytes: Buffer) => printed.push(bytes));
    child.on('error', reject);
    child.on('close', (code, signal) =>
      code === 0
        ? resolve(Buffer.concat(printed).toString('utf8'))
        : reject(new Error(`latstream ${args.join(' ')} ended with ${signal ?? code ?? '?'}`)),
    );
  });
}
