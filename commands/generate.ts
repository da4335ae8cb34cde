/** @file `latstream generate`: a prompt in, text out. */
import type { Command } from 'commander';
import { generate, type Sampling } from '../engine/models/index.js';
import { amount, whole, withModel, withOpenModel, type ModelOptions } from './options.js';

interface GenerateOptions extends ModelOptions {
  readonly prompt: string;
  readonly maxNewTokens: number;
  readonly greedy?: boolean;
  readonly chat?: boolean;
  readonly temperature: number;
  readonly topK?: number;
  readonly topP?: number;
  readonly seed: number;
  readonly json?: boolean;
}

export function addGenerate(program: Command): void {
  withModel(program.command('generate').description('continue a prompt'))
    .requiredOption(
      '--prompt <text>',
      'text to continue, tokenized as it is; with --chat, what the user says',
    )
    .option('--chat', "put the prompt into the model's chat template")
    .option('--max-new-tokens <n>', 'at most so many tokens', whole(1), 64)
    .option('--greedy', 'always the likeliest token')
    .option('--temperature <t>', 'of sampling without --greedy', amount, 1)
    .option('--top-k <k>', 'sample among the k likeliest tokens only', whole(1))
    .option('--top-p <p>', 'sample among the likeliest tokens that together reach p only', amount)
    .option('--seed <n>', 'of sampling', whole(0), 0)
    .option('--json', 'print {"text", "tokens"}: the new text and its token ids')
    .action(async (options: GenerateOptions) => {
      const { text, tokens } = await continued(options);
      process.stdout.write(options.json ? `${JSON.stringify({ text, tokens })}\n` : `${text}\n`);
    });
}

function continued(options: GenerateOptions): Promise<{ text: string; tokens: readonly number[] }> {
  return withOpenModel(options, async ({ stage, model, weights }) => {
    const { tokenizer, template } = stage;
    const prompt = options.chat
      ? template.promptTokens([{ role: 'user', content: options.prompt }])
      : tokenizer.encode(options.prompt);
    const sampling: Sampling | undefined = options.greedy
      ? undefined
      : {
          temperature: options.temperature,
          seed: options.seed,
          ...(options.topK !== undefined && { topK: options.topK }),
          ...(options.topP !== undefined && { topP: options.topP }),
        };
    const [row] = await generate(
      stage.engine,
      { ...model, ...weights },
      { prompts: [prompt], maxNewTokens: options.maxNewTokens, ...(sampling && { sampling }) },
    );
    const tokens = row?.tokens ?? [];
    return { text: tokenizer.decode(tokens), tokens };
  });
}
