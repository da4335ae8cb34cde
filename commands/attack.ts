/** @file `latstream attack`: one prompt perturbed inside the model toward an answer, then generated under it. */
import type { Command } from 'commander';
import { pack } from '../datasets/index.js';
import { complain } from '../foundation/index.js';
import { createAttack, subjectOf, type AttackConfig, type AttackTrace } from '../operators/index.js';
import { withOpenModel } from './asked.js';
import { amount, names, whole, withModel, type ModelOptions } from './options.js';

interface AttackOptions extends ModelOptions {
  readonly prompt: string;
  readonly target: string;
  readonly away?: string;
  readonly sites: string[];
  readonly epsilon: number;
  readonly iterations: number;
  readonly learningRate: number;
  readonly maxNewTokens: number;
  readonly json?: boolean;
}

interface AttackResult {
  readonly text: string;
  readonly tokens: readonly number[];
  /** What the model says without the perturbation. */
  readonly unperturbed: string;
  readonly trace: readonly AttackTrace[];
  readonly warnings: readonly string[];
}

export function addAttack(program: Command): void {
  withModel(
    program
      .command('attack')
      .description('perturb a prompt inside the model toward an answer, and generate under the perturbation'),
  )
    .requiredOption('--prompt <text>', 'what the user says')
    .requiredOption('--target <text>', 'answer that the perturbation makes likely')
    .option('--away <text>', 'answer that it makes unlikely')
    .option('--sites <names>', 'where, separated by commas: embedding, layers.3.mlp, …', names, ['embedding'])
    .option('--epsilon <e>', "largest L2 norm of one token's perturbation at one site", amount, 1)
    .option('--iterations <k>', 'steps of gradient, AdamW and projection', whole(0), 16)
    .option('--learning-rate <r>', 'of the perturbation', amount, 0.1)
    .option('--max-new-tokens <n>', 'at most so many tokens', whole(1), 64)
    .option('--json', 'print text, tokens, losses and norms as JSON')
    .action(async (options: AttackOptions) => {
      const result = await attackPrompt(options);
      process.stdout.write(options.json ? `${JSON.stringify(result)}\n` : forPeople(result));
    });
}

function attackPrompt(options: AttackOptions): Promise<AttackResult> {
  requireText('--target', options.target);
  if (options.away !== undefined) requireText('--away', options.away);
  return withOpenModel(options, async ({ stage, model, weights }) => {
    const messages = [{ role: 'user', content: options.prompt }];
    const answers = [options.target, ...(options.away === undefined ? [] : [options.away])];
    const { prompt, completions } = stage.template.conversation(messages, answers);
    const [adversarial = [], desired] = completions;
    const config: AttackConfig = {
      sites: options.sites,
      segments: 'prompt',
      epsilon: options.epsilon,
      iterations: options.iterations,
      learningRate: options.learningRate,
      betas: [0.9, 0.999],
      adamEpsilon: 1e-8,
      weightDecay: 0,
      losses: desired ? { toward: 1, away: 1 } : { toward: 1 },
    };
    const batch = pack([{ prompt, adversarial, desired: desired ?? adversarial }], { attacked: 'prompt' });
    const found = await createAttack(stage.engine, model, config)(weights, batch, { step: 0, seed: 0 });
    const subject = subjectOf(stage.engine, model, () => weights, stage.tokenizer, null);
    const [tokens = []] = await subject.answer([prompt], options.maxNewTokens, found.deltas);
    const [plain = []] = await subject.answer([prompt], options.maxNewTokens);
    return {
      text: stage.tokenizer.decode(tokens),
      tokens,
      unperturbed: stage.tokenizer.decode(plain),
      trace: found.trace,
      warnings: found.warnings,
    };
  });
}

/** An answer without words would still be the end of a turn: nothing that anyone means to ask for. */
function requireText(option: string, text: string): void {
  if (text.trim() === '')
    complain({
      code: 'USAGE_EMPTY',
      owner: `attack ${option}`,
      expected: 'the words of an answer',
      got: JSON.stringify(text),
      hint: 'give the text that the model should be brought to, or away from',
    });
}

function forPeople({ text, unperturbed, trace, warnings }: AttackResult): string {
  const [first, last] = [trace[0], trace.at(-1)];
  const norms = Object.entries(last?.norms ?? {}).map(([site, norm]) => `${site} ${norm.toPrecision(3)}`);
  return [
    `without perturbation: ${unperturbed}`,
    `under perturbation:   ${text}`,
    ...(first && last
      ? [
          `loss ${first.loss.toFixed(3)} → ${last.loss.toFixed(3)} in ${trace.length} iterations; norms ${norms.join(', ')}`,
        ]
      : []),
    ...warnings,
    '',
  ].join('\n');
}
