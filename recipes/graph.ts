/** @file What a run's streams are: the parts that its batches go through, as plain data for whoever draws or lists them. */
import { recipeOfArm, recipeOfPreparation } from './load.js';
import type { Recipe, TrainingSourceConfig } from './schema.js';

/** A part. What it does is measured in the metric `stream` under its id. */
export interface StreamNode {
  readonly id: string;
  readonly title: string;
  /** What it was told, for people. */
  readonly detail: string;
  /** Batches that it makes ahead, at most. */
  readonly ahead?: number;
}

export interface StreamEdge {
  readonly from: string;
  readonly to: string;
  /** `weights` go back into the model, `credit` is what the next batch waits for; without it, what flows is data. */
  readonly back?: 'weights' | 'credit';
}

export interface StreamGraph {
  readonly nodes: readonly StreamNode[];
  readonly edges: readonly StreamEdge[];
}

/** The streams of every arm, and of what prepares the model, by its name. @throws as `recipeOfArm` */
export function streamGraphs(recipe: Recipe): Record<string, StreamGraph> {
  const prepared = recipeOfPreparation(recipe);
  return {
    ...(prepared && { prepare: streamGraph(prepared, false) }),
    ...Object.fromEntries(
      Object.keys(recipe.arms).map((arm) => [arm, streamGraph(recipeOfArm(recipe, arm), true)]),
    ),
  };
}

/** @param recipe an arm's own. @param asked whether there is anything to ask it */
function streamGraph(recipe: Recipe, asked: boolean): StreamGraph {
  const sources = sourcesOf(recipe);
  const [tokenize, batch, ...rest] = stagesOf(recipe);
  const chain = [tokenize, batch, modelOf(recipe), ...rest] as StreamNode[];
  const outputs = outputsOf(recipe, asked);
  const last = chain.at(-1)?.id ?? '';
  return {
    nodes: [...sources, ...chain, ...outputs],
    edges: [
      ...sources.map(({ id }) => ({ from: id, to: 'tokenize' })),
      ...chain.slice(1).map(({ id }, at) => ({ from: chain[at]?.id ?? '', to: id })),
      ...outputs.map(({ id }) => ({ from: last, to: id })),
      { from: 'defend', to: 'model', back: 'weights' },
      { from: 'checkpoint', to: 'batch', back: 'credit' },
    ],
  };
}

/** Named as they are counted: by role, with a number where the role has a mixture. */
function sourcesOf({ data }: Recipe): StreamNode[] {
  const roles = { pairs: data.pairs, desired: data.desired ?? null, benign: data.benign };
  return Object.entries(roles).flatMap(([role, datasets]) => {
    if (datasets === null) return [];
    if (!Array.isArray(datasets)) return [{ id: role, title: nameOf(datasets), detail: role }];
    return datasets.map((dataset, at) => ({
      ...{ id: `${role}-${at}`, title: nameOf(dataset) },
      detail: `${role}, weight ${dataset.weight ?? 1}`,
    }));
  });
}

function nameOf({ path, preset }: TrainingSourceConfig): string {
  const [first = preset ?? '', ...others] = path === undefined ? [] : [path].flat();
  const name = first.slice(first.lastIndexOf('/') + 1);
  return others.length === 0 ? name : `${name} and ${others.length} more`;
}

function stagesOf({ data, pool, attack, defend }: Recipe): StreamNode[] {
  const { pairsPerBatch, benignPerBatch, shuffleRows, prefetch } = data;
  const rows =
    data.benign === null ? `${pairsPerBatch} pairs` : `${pairsPerBatch} pairs, ${benignPerBatch} benign`;
  const mixes = [data.pairs, data.desired, data.benign].some(Array.isArray);
  const order = shuffleRows > 0 ? 'shuffled' : 'in order';
  return [
    { id: 'tokenize', title: mixes ? 'mix and tokenize' : 'tokenize', detail: order },
    { id: 'batch', title: 'batch', detail: rows, ahead: prefetch },
    ...(pool ? [{ id: 'search', title: 'search', detail: 'suffixes' }] : []),
    ...(attack
      ? [
          {
            id: 'attack',
            title: 'attack',
            detail: `${attack.iterations} iterations, ε ${String(attack.epsilon)}`,
          },
        ]
      : []),
    { id: 'defend', title: 'defend', detail: counted(defend.iterations, 'update') },
  ];
}

function modelOf({ model, defend }: Recipe): StreamNode {
  const { train } = defend;
  const trained = train.kind === 'adapters' ? `adapters, rank ${train.rank}` : 'its own weights';
  const name = model.kind === 'random' ? 'random' : model.path.slice(model.path.lastIndexOf('/') + 1);
  return { id: 'model', title: 'model', detail: `${name}, ${trained}` };
}

function outputsOf({ evaluate, checkpoint }: Recipe, asked: boolean): StreamNode[] {
  const { harmful, benign, probes, choices, quality, every } = evaluate;
  const tables = [harmful, benign, quality, ...Object.values({ ...probes, ...choices })];
  const asks = asked && tables.some((table) => table !== null && table !== undefined);
  return [
    ...(asks ? [{ id: 'evaluate', title: 'evaluate', detail: often(every, 'at the end') }] : []),
    { id: 'checkpoint', title: 'checkpoint', detail: often(checkpoint.every, 'the last one') },
    { id: 'metrics', title: 'metrics', detail: 'to disk and viewers' },
  ];
}

function often(every: number, otherwise: string): string {
  return every > 0 ? `every ${counted(every, 'step')}` : otherwise;
}

function counted(count: number, of: string): string {
  return `${count} ${of}${count === 1 ? '' : 's'}`;
}
