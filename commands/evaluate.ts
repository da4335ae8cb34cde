/** @file `latstream evaluate`: a recipe's evaluation of its model, or of another one, with adapters and tables of one's own. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Command } from 'commander';
import { writeAtomically } from '../formats/index.js';
import { evaluate, type AttackOutcome, type Evaluation } from '../operators/index.js';
import { loadRecipe, type Recipe } from '../recipes/index.js';
import { askable } from './run/askable.js';
import { adaptersOf } from './asked.js';
import { fetched } from './fetch.js';
import { collect, executorOption, precisionOption, whole } from './options.js';
import { checkOutFile } from './outputs.js';
import { placed } from './run/places.js';
import { progressBar, type ProgressBar } from './progress.js';
import { settled } from './run/settled.js';
import { openRecipe, questionsOf } from './run/stage.js';
import { evaluationTable } from './run/summary.js';

interface EvaluateOptions {
  readonly model?: string;
  readonly adapter?: string;
  readonly behaviors?: string;
  readonly benign?: string;
  readonly maxNewTokens?: number;
  readonly answers?: string;
  readonly executor?: string;
  readonly precision?: string;
  readonly seed?: number;
  readonly set: readonly string[];
  readonly limit?: number;
  readonly json?: boolean;
}

/** Tokens in which an answer to a request of the world can be told from an opening. */
const SUBSTANTIAL = 64;

export function addEvaluate(program: Command): void {
  program
    .command('evaluate')
    .description("ask a recipe's held-out requests under its attacks, and judge the answers")
    .argument('<recipe>', 'name of a recipe, or a .json, .yaml or .yml file')
    .option(
      '--model <dir>',
      "model folder, .gguf file, hf:ORG/NAME or RUN/ARM to ask instead of the recipe's",
    )
    .option('--adapter, --adapters <dir>', 'adapter folder in PEFT format to put on the model')
    .option(
      '--behaviors <file>',
      'harmful requests to ask instead: HarmBench, AdvBench, JailbreakBench, StrongREJECT, XSTest, or a column `prompt`',
    )
    .option(
      '--benign <file>',
      'requests to ask instead that should be answered: XSTest, Alpaca, or a column `prompt`',
    )
    .option(
      '--max-new-tokens <n>',
      `of each answer (with tables of your own: at least ${SUBSTANTIAL})`,
      whole(1),
    )
    .option('--limit <n>', 'at most so many requests of each table', whole(1))
    .option('--answers <file>', 'write every answer and what it was taken for, as lines of JSON')
    .addOption(executorOption())
    .addOption(precisionOption())
    .option('--seed <n>', "instead of the recipe's", whole(0))
    .option('--set <path=value>', 'override a value of the recipe; repeatable', collect, [])
    .option('--json', 'print counts, intervals and outcomes as JSON')
    .action(async (source: string, given: EvaluateOptions & { readonly adapters?: string }) => {
      const adapter = given.adapters ?? given.adapter;
      const options = { ...given, ...(adapter !== undefined && { adapter }) };
      const evaluation = await evaluateRecipe(source, options);
      const name = adapter ?? options.model ?? 'base';
      process.stdout.write(
        options.json ? `${JSON.stringify(printed(evaluation))}\n` : `${forPeople(name, evaluation)}\n`,
      );
    });
}

async function evaluateRecipe(source: string, options: EvaluateOptions): Promise<Evaluation> {
  if (options.answers !== undefined) await checkOutFile(options.answers);
  const recipe = asked(await settled(await loadRecipe(source, options)), options);
  const out = await mkdtemp(join(tmpdir(), 'latstream-evaluate-'));
  try {
    const here = placed(recipe, out);
    const stage = await openRecipe(await fetched(here), out);
    try {
      const { scale, adapters } = await adaptersOf(stage, options.adapter);
      const model = { config: stage.config, ...(scale !== undefined && { adapterScale: scale }) };
      const subject = askable(here, stage, model, () => ({ parameters: stage.parameters, adapters }));
      const answers: string[] = [];
      let bar: ProgressBar | undefined;
      const evaluation = await evaluate(subject, await questionsOf(here, stage), here.evaluate, {
        limit: options.limit,
        onAnswer: (record) => answers.push(`${JSON.stringify(record)}\n`),
        onProgress: (done, total) => (bar ??= progressBar('answers', total)).update(done),
      }).finally(() => bar?.stop());
      if (options.answers !== undefined) await writeAtomically(options.answers, [answers.join('')]);
      return evaluation;
    } finally {
      await stage.dispose();
    }
  } finally {
    await rm(out, { recursive: true, force: true });
  }
}

/** The recipe with what the options put in its place. Requests of the world name no key: answers are judged by substance. */
function asked(recipe: Recipe, { model, behaviors, benign, maxNewTokens, limit }: EvaluateOptions): Recipe {
  const { evaluate } = recipe;
  const own = behaviors !== undefined || benign !== undefined;
  const least = own ? Math.max(SUBSTANTIAL, evaluate.maxNewTokens) : evaluate.maxNewTokens;
  return {
    ...recipe,
    model: model === undefined ? recipe.model : { kind: 'directory', path: model },
    evaluate: {
      ...evaluate,
      ...(own && {
        harmful: behaviors === undefined ? null : { path: behaviors },
        benign: benign === undefined ? null : { path: benign },
        probes: {},
        requests: limit ?? ALL,
        judge: { ...evaluate.judge, match: 'substance' as const },
      }),
      maxNewTokens: maxNewTokens ?? least,
    },
  };
}

/** More rows than anybody asks. */
const ALL = 1_000_000;

/** What `--json` prints: counts, and the share that complied with its interval. */
function printed({ attacks, ...rest }: Evaluation): object {
  const flat = ({ n, counts, comply, outcomes, norms }: AttackOutcome): object => ({
    n,
    ...counts,
    interval: comply,
    ...(norms && { norms }),
    outcomes,
  });
  return {
    attacks: Object.fromEntries(Object.entries(attacks).map(([name, outcome]) => [name, flat(outcome)])),
    ...rest,
  };
}

function forPeople(name: string, evaluation: Evaluation): string {
  const { nearDuplicates = {}, openings = 0 } = evaluation.notes ?? {};
  return [
    evaluationTable([[name, evaluation]]),
    ...Object.entries(nearDuplicates).map(
      ([table, count]) => `${table}: ${count} rows left out, nearly the same as rows of training`,
    ),
    ...(openings > 0 ? [`harmful: in ${openings} rows the compliant answer is an opening only`] : []),
  ].join('\n');
}
