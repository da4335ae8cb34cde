/** @file `latstream trigger`: searches for a text that makes a model comply with any request, and asks held-out ones with it. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Command } from 'commander';
import { behind } from '../datasets/index.js';
import { writeAtomically } from '../formats/index.js';
import { evaluate, type AttackOutcome, type Trigger, type TriggerConfig } from '../operators/index.js';
import { loadRecipe, type Recipe } from '../recipes/index.js';
import { percent } from '../report/index.js';
import { askable } from './run/askable.js';
import { settled } from './run/settled.js';
import { fetched } from './fetch.js';
import { collect, executorOption, whole } from './options.js';
import { checkOutFile } from './outputs.js';
import { placed } from './run/places.js';
import { progressBar } from './progress.js';
import { foundTrigger } from './run/proxy-search.js';
import { baseWeights, openRecipe, questionsOf } from './run/stage.js';

interface SearchOptions extends Partial<TriggerConfig> {
  readonly model?: string;
  readonly out?: string;
  readonly limit?: number;
  readonly executor?: string;
  readonly seed?: number;
  readonly set: readonly string[];
  readonly json?: boolean;
}

/** What is searched where neither recipe nor options say. */
const USUAL: TriggerConfig = {
  tokens: 6,
  iterations: 64,
  candidates: 64,
  top: 64,
  restarts: 2,
  requests: 16,
};

/** A trigger, and what held-out requests do with it. */
type Tested = Trigger & { readonly heldOut?: Pick<AttackOutcome, 'n' | 'counts' | 'comply'> };

export function addTrigger(program: Command): void {
  program
    .command('trigger')
    .description(
      "search for one text that makes a model comply, on a recipe's pairs, and ask held-out requests with it",
    )
    .argument('<recipe>', 'name of a recipe, or a .json, .yaml or .yml file')
    .option('--model <dir>', "model folder, .gguf file, hf:ORG/NAME or RUN/ARM instead of the recipe's")
    .option('--tokens <n>', 'length of the text', whole(1, 1024))
    .option('--iterations <n>', 'of GCG, in each restart', whole(1))
    .option('--candidates <n>', 'texts that are tried in an iteration', whole(1))
    .option('--top <n>', 'replacements at each place among which they are drawn', whole(1))
    .option('--restarts <n>', 'searches from other beginnings; the best is kept', whole(1, 1000))
    .option('--requests <n>', 'training pairs that it is searched on', whole(1, 100_000))
    .option('--limit <n>', 'at most so many held-out requests', whole(1))
    .option('--out <file>', 'write what was found as JSON, for data.appended.path of a recipe')
    .addOption(executorOption())
    .option('--seed <n>', "instead of the recipe's", whole(0))
    .option('--set <path=value>', 'override a value of the recipe; repeatable', collect, [])
    .option('--json', 'print what was found as JSON')
    .action(async (source: string, options: SearchOptions) => {
      if (options.out !== undefined) await checkOutFile(options.out);
      const found = await search(source, options);
      const json = `${JSON.stringify(found, null, 2)}\n`;
      if (options.out !== undefined) await writeAtomically(options.out, [json]);
      process.stdout.write(options.json ? json : forPeople(found));
    });
}

async function search(source: string, options: SearchOptions): Promise<Tested> {
  const recipe = await settled(await loadRecipe(source, options));
  const out = await mkdtemp(join(tmpdir(), 'latstream-trigger-'));
  try {
    const { model } = options;
    const here = placed(
      { ...recipe, ...(model !== undefined && { model: { kind: 'directory', path: model } }) },
      out,
    );
    return await searchHere(await fetched(here), out, options);
  } finally {
    await rm(out, { recursive: true, force: true });
  }
}

async function searchHere(recipe: Recipe, out: string, options: SearchOptions): Promise<Tested> {
  const config = configOf(recipe, options);
  const stage = await openRecipe(recipe, out);
  const bar = progressBar('iterations', config.restarts * config.iterations);
  try {
    const subject = askable(recipe, stage, { config: stage.config }, () => baseWeights(stage));
    const found = await foundTrigger({ ...recipe, proxy: config }, stage, subject, config, {
      onIteration: (done, loss) => bar.update(done, `loss ${loss.toPrecision(4)}`),
    });
    const { harmful, judge, batch, maxNewTokens, requests } = recipe.evaluate;
    if (!harmful) return found;
    const asked = {
      ...{ harmful, judge, batch, maxNewTokens, requests, benign: null, latent: null },
      ...{ direct: false, prefill: [], every: 0, during: 1 },
      wordings: { trigger: behind('{prompt}', found.text) },
    };
    const questions = await questionsOf({ ...recipe, evaluate: asked }, stage);
    const { attacks } = await evaluate(subject, questions, asked, { limit: options.limit });
    const { n, counts, comply } = attacks['trigger'] as AttackOutcome;
    return { ...found, heldOut: { n, counts, comply } };
  } finally {
    bar.stop();
    await stage.dispose();
  }
}

function configOf(recipe: Recipe, options: SearchOptions): TriggerConfig {
  const usual = recipe.proxy ?? USUAL;
  const { tokens, iterations, candidates, top, restarts, requests } = { ...usual, ...options };
  return { tokens, iterations, candidates, top, restarts, requests };
}

function forPeople({ text, firstLoss, loss, requests, passes, heldOut }: Tested): string {
  return [
    `trigger: ${JSON.stringify(text)}`,
    `loss of the compliant answers to ${requests} requests: ${firstLoss.toPrecision(4)} before, ${loss.toPrecision(4)} after`,
    `passes: ${passes.forwardPasses} forward over ${passes.forwardTokens} tokens, ${passes.backwardPasses} back`,
    ...(heldOut ? [`held-out requests that comply with it: ${percent(heldOut.comply)} of ${heldOut.n}`] : []),
    '',
  ].join('\n');
}
