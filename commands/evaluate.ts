/** @file `latstream evaluate`: a recipe's evaluation of its model, or of that model with adapters. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Command } from 'commander';
import { attackOf } from './attack-of.js';
import { evaluate, subjectOf, type Evaluation } from '../operators/index.js';
import { loadRecipe } from '../recipes/index.js';
import { fetched } from './fetch.js';
import { adaptersOf, collect, whole } from './options.js';
import { placed } from './places.js';
import { openRecipe, questionsOf } from './stage.js';
import { evaluationTable } from './summary.js';

interface EvaluateOptions {
  readonly model?: string;
  readonly adapter?: string;
  readonly seed?: number;
  readonly set: readonly string[];
  readonly limit?: number;
  readonly json?: boolean;
}

export function addEvaluate(program: Command): void {
  program
    .command('evaluate')
    .description("ask a recipe's held-out requests under its attacks, and judge the answers")
    .argument('<recipe>', 'name of a recipe, or a .json, .yaml or .yml file')
    .option('--model <dir>', "model folder to ask instead of the recipe's")
    .option('--adapter <dir>', 'adapter folder in PEFT format to put on the model')
    .option('--limit <n>', 'at most so many requests of each table', whole(1))
    .option('--seed <n>', "instead of the recipe's", whole(0))
    .option('--set <path=value>', 'override a value of the recipe; repeatable', collect, [])
    .option('--json', 'print counts, intervals and outcomes as JSON')
    .action(async (source: string, options: EvaluateOptions) => {
      const evaluation = await evaluateRecipe(source, options);
      const name = options.adapter ?? options.model ?? 'base';
      process.stdout.write(
        options.json ? `${JSON.stringify(evaluation)}\n` : `${evaluationTable([[name, evaluation]])}\n`,
      );
    });
}

async function evaluateRecipe(source: string, options: EvaluateOptions): Promise<Evaluation> {
  const recipe = await loadRecipe(source, { seed: options.seed, set: options.set });
  const out = await mkdtemp(join(tmpdir(), 'latstream-evaluate-'));
  try {
    const place =
      options.model === undefined ? recipe.model : ({ kind: 'directory', path: options.model } as const);
    const here = placed({ ...recipe, model: place }, out);
    const stage = await openRecipe(await fetched(here), out);
    try {
      const { scale, adapters } = await adaptersOf(stage, options.adapter);
      const model = { config: stage.config, ...(scale !== undefined && { adapterScale: scale }) };
      const { latent } = here.evaluate;
      const subject = subjectOf(
        stage.engine,
        model,
        () => ({ parameters: stage.parameters, adapters }),
        stage.tokenizer,
        latent && attackOf(latent, model, here, stage),
      );
      return await evaluate(subject, await questionsOf(here, stage), here.evaluate, options.limit);
    } finally {
      await stage.dispose();
    }
  } finally {
    await rm(out, { recursive: true, force: true });
  }
}
