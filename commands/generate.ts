/** @file `latstream generate`: prompts in, texts out. */
import type { Command } from 'commander';
import { complain } from '../foundation/index.js';
import { continuations, type Continuation, type ContinuationOptions } from './continuations.js';
import { withOpenModel } from './asked.js';
import { amount, collect, collectText, whole, withModel, type ModelOptions } from './options.js';
import { progressBar } from './progress.js';
import { readPrompts } from './prompts.js';

interface GenerateOptions extends ModelOptions {
  readonly prompt: readonly string[];
  readonly prompts?: string;
  readonly stop: readonly string[];
  readonly samples: number;
  readonly batchSize: number;
  readonly maxNewTokens: number;
  readonly greedy?: boolean;
  readonly chat?: boolean;
  readonly system?: string;
  readonly temperature: number;
  readonly topK?: number;
  readonly topP?: number;
  readonly seed: number;
  readonly json?: boolean;
}

export function addGenerate(program: Command): void {
  withModel(program.command('generate').description('continue prompts'))
    .option(
      '--prompt <text>',
      'text to continue, in which special tokens count as such; with --chat, what the user says (repeatable)',
      collect,
      [],
    )
    .option('--prompts <file>', 'JSON list, lines of a .txt file, or a dataset with a column `prompt`')
    .option('--chat', "put each prompt into the model's chat template")
    .option('--system <text>', 'with --chat: a system message before each prompt')
    .option('--stop <text>', 'ends a text, which is cut before it (repeatable)', collectText, [])
    .option('--samples <n>', 'texts for each prompt', whole(1), 1)
    .option('--batch-size <n>', 'so many texts at once; they do not depend on it', whole(1), 8)
    .option('--max-new-tokens <n>', 'at most so many tokens', whole(1), 64)
    .option('--greedy', 'always the likeliest token')
    .option('--temperature <t>', 'of sampling without --greedy', amount, 1)
    .option('--top-k <k>', 'sample among the k likeliest tokens only', whole(1))
    .option('--top-p <p>', 'sample among the likeliest tokens that together reach p only', amount)
    .option('--seed <n>', 'of sampling', whole(0), 0)
    .option(
      '--json',
      'print {"text", "tokens"}: the new text and its token ids; for several, a list of these with "prompt" and "ended"',
    )
    .action(async (options: GenerateOptions) => {
      const prompts = [...options.prompt, ...(options.prompts ? await readPrompts(options.prompts) : [])];
      if (prompts.length === 0)
        complain({
          code: 'USAGE_PROMPT',
          owner: 'generate',
          expected: 'a prompt',
          got: 'none',
          hint: 'give --prompt TEXT or --prompts FILE',
        });
      if (options.system !== undefined && !options.chat) refuseSystem();
      if (prompts.length * options.samples === 1) await printOne(options, prompts);
      else await printAll(options, prompts);
    });
}

/** Text is shown while it is generated, where a person looks on. */
async function printOne(options: GenerateOptions, prompts: readonly string[]): Promise<void> {
  let shown = '';
  const show = (text: string): void => {
    process.stdout.write(text.slice(shown.length));
    shown = text;
  };
  const live = process.stdout.isTTY && !options.json;
  const [one] = await withOpenModel(options, (asked) =>
    continuations(asked, prompts, continued(options), ({ certain }) => live && show(certain)),
  );
  const { text, tokens } = one as Continuation;
  show(`${options.json ? JSON.stringify({ text, tokens }) : text}\n`);
}

async function printAll(options: GenerateOptions, prompts: readonly string[]): Promise<void> {
  const count = prompts.length * options.samples;
  const bar = progressBar('texts', count);
  let all: readonly Continuation[];
  try {
    all = await withOpenModel(options, (asked) =>
      continuations(asked, prompts, continued(options), ({ rows, tokens }) =>
        bar.update(rows, `${tokens} tokens`),
      ),
    );
    bar.update(count);
  } finally {
    bar.stop();
  }
  const lines = all.map(({ prompt, text }) => `${prompt}\n→ ${text}\n`);
  process.stdout.write(options.json ? `${JSON.stringify(all)}\n` : lines.join('\n'));
}

function continued({
  greedy,
  temperature,
  topK,
  topP,
  seed,
  ...options
}: GenerateOptions): ContinuationOptions {
  if (greedy) return options;
  const limits = { ...(topK !== undefined && { topK }), ...(topP !== undefined && { topP }) };
  return { ...options, sampling: { temperature, seed, ...limits } };
}

/** Raw text has no place for a system message. */
function refuseSystem(): never {
  return complain({
    code: 'USAGE_SYSTEM',
    owner: 'generate --system',
    expected: '--chat beside it',
    got: 'a prompt that is continued as it is',
    hint: 'add --chat, or write the system message into the prompt',
  });
}
