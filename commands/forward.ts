/** @file `latstream forward`: the logits of given tokens, to a safetensors file. */
import type { Command } from 'commander';
import { float32, int32, type Definition, type Tensor } from '../engine/index.js';
import { hiddenStates, logitsAt } from '../engine/models/index.js';
import { readText, writeSafetensors } from '../formats/index.js';
import { complain, parseJson } from '../foundation/index.js';
import type { Model, ModelWeights } from '../operators/index.js';
import type { Weights } from './run/stage.js';
import { withOpenWeights, type Asked } from './asked.js';
import { withModel, type ModelOptions } from './options.js';
import { checkOutFile } from './outputs.js';

interface ForwardOptions extends ModelOptions {
  readonly tokens: string;
  readonly out: string;
  readonly json?: boolean;
}

export function addForward(program: Command): void {
  withModel(program.command('forward').description('logits of given tokens'))
    .requiredOption(
      '--tokens <file>',
      'JSON: [[id, …], …], or {"tokens": [[id, …], …]}; all rows of one length',
    )
    .requiredOption('--out <file>', 'safetensors file to write: logits [rows, columns, vocabulary], float32')
    .option('--json', 'print {"out", "shape"}')
    .action(async (options: ForwardOptions) => {
      const rows = await readTokens(options.tokens);
      await checkOutFile(options.out);
      await withOpenWeights(options, async (asked) => {
        const logits = await logitsOf(asked, rows, options.tokens);
        await writeSafetensors(options.out, { logits });
        const { out } = options;
        const { shape } = logits;
        process.stdout.write(
          options.json ? `${JSON.stringify({ out, shape })}\n` : `logits [${shape.join(', ')}] in ${out}\n`,
        );
      });
    });
}

/**
 * Token ids from a file.
 * @throws TOKENS_FILE; TOKENS_RAGGED where rows differ in length: padding is never guessed.
 */
export async function readTokens(path: string): Promise<readonly (readonly number[])[]> {
  const owner = `tokens ${path}`;
  const refuse = (expected: string, got: string): never =>
    complain({ code: 'TOKENS_FILE', owner, expected, got, hint: 'write token ids as JSON' });
  const text = await readText(path).catch(() => refuse('a file that can be read', 'none'));
  let json: unknown;
  try {
    json = parseJson(text);
  } catch (error) {
    refuse('JSON', error instanceof Error ? error.message : String(error));
  }
  const rows = Array.isArray(json) ? (json as unknown[]) : (json as { tokens?: unknown } | null)?.tokens;
  const isRow = (row: unknown): row is number[] =>
    Array.isArray(row) && row.length > 0 && row.every((id) => Number.isInteger(id) && (id as number) >= 0);
  if (!Array.isArray(rows) || rows.length === 0 || !rows.every(isRow))
    return refuse('[[id, …], …] with at least one id in each row', text.slice(0, 60));
  const lengths = new Set(rows.map((row) => row.length));
  if (lengths.size > 1)
    complain({
      code: 'TOKENS_RAGGED',
      owner,
      expected: 'rows of one length',
      got: `lengths ${[...lengths].join(', ')}`,
      hint: 'ask for rows of different lengths one by one: padding would change what the logits mean',
    });
  return rows;
}

async function logitsOf(
  { stage, model, weights }: Asked<Weights>,
  rows: readonly (readonly number[])[],
  path: string,
): Promise<ReturnType<typeof float32>> {
  const { engine, config } = stage;
  const [count, columns] = [rows.length, rows[0]?.length ?? 0];
  const stranger = rows.flat().find((id) => id >= config.vocabularySize);
  if (stranger !== undefined || columns > config.contextLength)
    complain({
      code: stranger === undefined ? 'SEQUENCE_TOO_LONG' : 'TOKENS_VOCABULARY',
      owner: `tokens ${path}`,
      expected:
        stranger === undefined
          ? `at most ${config.contextLength} tokens a row, the model's context`
          : `ids below ${config.vocabularySize}, the model's vocabulary`,
      got: String(stranger ?? columns),
      hint: "use the model's own tokenizer, and rows that fit its context",
    });
  const shape = [count, columns];
  const ids = (of: (row: number, column: number) => number): Int32Array =>
    Int32Array.from({ length: count * columns }, (_, at) => of(Math.floor(at / columns), at % columns));
  const { logits } = await engine.run(forward(model), {
    weights,
    batch: {
      tokens: engine.upload(
        int32(
          shape,
          ids((row, column) => rows[row]?.[column] ?? 0),
        ),
      ),
      positions: engine.upload(
        int32(
          shape,
          ids((_, column) => column),
        ),
      ),
      segments: engine.upload(
        int32(
          shape,
          ids(() => 1),
        ),
      ),
    },
  });
  const { data } = await engine.download(logits);
  return float32([count, columns, config.vocabularySize], data as Float32Array);
}

type ForwardArgs = {
  readonly weights: ModelWeights<Tensor>;
  readonly batch: Readonly<Record<'tokens' | 'positions' | 'segments', Tensor>>;
};

function forward(model: Model): Definition<ForwardArgs, { readonly logits: Tensor }> {
  return {
    name: 'forward', // one model in this process
    compute: ({ weights, batch }) => {
      const scaled = { ...weights, adapterScale: model.adapterScale ?? 1 };
      const hidden = hiddenStates(model, scaled, batch);
      return { logits: logitsAt(model.config, weights.parameters, hidden) };
    },
  };
}
