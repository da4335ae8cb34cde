/** @file Greedy generation timed three ways: with the cache, by full recomputation, and by transformers. */
import { join } from 'node:path';
import {
  createEngine,
  generate,
  greedyToken,
  hiddenStates,
  int32,
  loadModel,
  logitsAt,
  onnxruntimeExecutor,
  type Definition,
  type Engine,
  type GenerationModel,
  type HostTensor,
  type Tensor,
} from '../engine/index.js';
import { complain, draws } from '../foundation/index.js';
import { inTurns, ratioOf, type Ratio } from './compare.js';
import type { Peer } from './peer.js';
import { modelConfig, randomParameters, randomTokens } from './random.js';
import type { Shapes } from './shapes.js';
import { startSide, type Side } from './side.js';
import { median, peakMegabytes, seconds } from './timing.js';

/** New tokens per second, and the cached way's seconds / the others', round by round. Without Python, no `transformers`. */
export interface GenerationComparison {
  readonly name: string;
  readonly rows: number;
  readonly prompt: number;
  readonly new_tokens: number;
  readonly tokens_per_second: Readonly<Record<string, number>>;
  readonly ratio: Readonly<Record<string, Ratio>>;
}

type Rows = readonly (readonly number[])[];
type Way = (engine: Engine, model: GenerationModel, prompts: Rows, count: number) => Promise<Rows>;

/**
 * Times all ways in turn, on one model and the same random prompts.
 * @param directory of a model; without it, random weights of the shapes.
 * @throws BENCH_GENERATION where cached tokens are not the recomputed ones.
 */
export async function compareGeneration(
  shapes: Shapes,
  directory: string | undefined,
  peer: Peer | undefined,
  rounds: number,
): Promise<GenerationComparison> {
  const engine = createEngine(onnxruntimeExecutor({ threads: shapes.threads }));
  const model = await modelOn(engine, shapes, directory);
  const { batch, prompt, completion } = shapes;
  const draw = draws(0, 'bench-generation');
  const prompts = Array.from({ length: batch }, () =>
    randomTokens(draw, prompt, model.config.vocabularySize),
  );
  const setup = JSON.stringify({ ...shapes, prompts, model: directory ?? null });
  const transformers =
    peer && (await startSide('transformers', peer.python, [join(peer.scripts, 'generate.py'), setup]));
  try {
    const ways = { cached: await warm(cached), recomputed: await warm(recomputed) };
    if (JSON.stringify(ways.cached.tokens) !== JSON.stringify(ways.recomputed.tokens)) different();
    const times = await inTurns({ ...ways, transformers }, rounds);
    const sides = Object.entries(times).flatMap(([side, all]) =>
      all.length > 0 ? [[side, all.map((each) => each.seconds)] as const] : [],
    );
    const ours = times.cached.map((each) => each.seconds);
    return {
      name: directory ?? 'random weights',
      rows: batch,
      prompt,
      new_tokens: completion,
      tokens_per_second: Object.fromEntries(
        sides.map(([side, all]) => [side, (batch * completion) / median(all)]),
      ),
      ratio: Object.fromEntries(
        sides.filter(([side]) => side !== 'cached').map(([side, all]) => [side, ratioOf(ours, all)]),
      ),
    };
  } finally {
    await Promise.all([transformers?.close(), engine.dispose()]);
  }

  async function warm(way: Way): Promise<Pick<Side, 'time'> & { readonly tokens: Rows }> {
    const tokens = await way(engine, model, prompts, completion);
    const time = async (): Promise<{ seconds: number; peak_rss_mb: number }> => ({
      seconds: await seconds(async () => {
        await way(engine, model, prompts, completion);
      }),
      peak_rss_mb: peakMegabytes(),
    });
    return { tokens, time };
  }
}

async function modelOn(
  engine: Engine,
  shapes: Shapes,
  directory: string | undefined,
): Promise<GenerationModel> {
  const random = modelConfig(shapes);
  const { config, parameters } = directory
    ? await loadModel(directory)
    : { config: random, parameters: randomParameters(random) };
  const uploaded = Object.entries(parameters).map(
    ([name, tensor]: [string, HostTensor]) => [name, engine.upload(tensor)] as const,
  );
  return { config, parameters: Object.fromEntries(uploaded) };
}

const cached: Way = async (engine, model, prompts, count) => {
  const rows = await generate(engine, model, { prompts, maxNewTokens: count, stopTokens: [] });
  return rows.map(({ tokens }) => tokens);
};

type RecomputedArgs = {
  readonly parameters: Readonly<Record<string, Tensor>>;
  readonly batch: Readonly<Record<'tokens' | 'positions' | 'segments', Tensor>>;
  readonly last: Tensor;
};

/** The whole sequence for every token, padded on the right to a few lengths, so that few programs are compiled. */
const recomputed: Way = async (engine, { config, parameters }, prompts, count) => {
  const definition: Definition<RecomputedArgs, { readonly logits: Tensor }> = {
    name: 'bench recomputed',
    compute: (args) => {
      const hidden_ND = hiddenStates({ config }, { parameters: args.parameters }, args.batch);
      return { logits: logitsAt(config, args.parameters, hidden_ND, args.last) };
    },
  };
  const rows = prompts.map((prompt) => [...prompt]);
  const length = (): number => rows[0]?.length ?? 0;
  for (let made = 0; made < count; made++) {
    const columns = 16 * Math.ceil(length() / 16);
    const grid = (of: (row: readonly number[], column: number) => number) => {
      const data = rows.flatMap((row) => Array.from({ length: columns }, (_, column) => of(row, column)));
      return engine.upload(int32([rows.length, columns], data));
    };
    const batch = {
      tokens: grid((row, column) => row[column] ?? 0),
      positions: grid((_, column) => column),
      segments: grid((row, column) => (column < row.length ? 1 : 0)),
    };
    const ends = rows.map((row, at) => at * columns + row.length - 1);
    const last = engine.upload(int32([rows.length], ends));
    const { logits } = await engine.run(definition, { parameters, batch, last });
    const { data } = await engine.download(logits);
    const width = config.vocabularySize;
    rows.forEach((row, at) => row.push(greedyToken(data.subarray(at * width, (at + 1) * width))));
  }
  return rows.map((row) => row.slice(-count));
};

function different(): never {
  return complain({
    code: 'BENCH_GENERATION',
    owner: 'bench generate',
    expected: 'the same tokens with the cache as without it',
    got: 'others',
    hint: 'two logits may be equal but for rounding: try other weights; otherwise this is a defect',
  });
}
