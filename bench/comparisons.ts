/** @file The subcommands that time latstream beside others: `step`, `compare`, `generate`, `encode`, and `serve`, which `compare` starts. */
import { basename, join } from 'node:path';
import type { Command } from 'commander';
import { interleave, type Comparison } from './compare.js';
import { dependency, readContext } from './context.js';
import { timeEncoding } from './encode.js';
import { addExecuting, type Executing } from './executing.js';
import {
  addPeerSetting,
  findPeer,
  peerArgs,
  settingsOf,
  type Peer,
  type PeerOptions,
  type PeerSetting,
} from './peer.js';
import { compareGeneration, type GenerationComparison } from './generation.js';
import { describe, describeGeneration, writeResults } from './report.js';
import { serve } from './serve.js';
import { readShapes } from './shapes.js';
import { startOurSide, startSide } from './side.js';
import { timeStep } from './step-result.js';

/** Adds them. @param root of the repository. */
export function addComparisons(program: Command, root: string): void {
  addStep(program);
  addCompare(program, root);
  addGenerate(program, root);
  addEncode(program);
  addServe(program, root);
}

function addStep(program: Command): void {
  addExecuting(program.command('step <config>'))
    .description('time one step of latstream on random weights and tokens of the shapes in a JSON file')
    .option('--json', 'print JSON')
    .action(async (config: string, options: Executing & { readonly json?: boolean }) => {
      const result = await timeStep(config, options);
      const text = `${result.seconds.toFixed(3)} s a step (median of ${result.all.length}), ${result.peak_rss_mb} MB peak`;
      console.log(options.json ? JSON.stringify(result) : text);
    });
}

function addCompare(program: Command, root: string): void {
  addPeerSetting(addExecuting(program.command('compare [configs...]', { isDefault: true })))
    .description('time latstream and plain PyTorch + PEFT side by side (default: bench/configs/small.json)')
    .option('--pairs <n>', 'pairs of steps, at least 5 for a figure worth quoting', Number, 5)
    .option('--labelled-logits', 'let the peer, too, compute logits at labelled positions only')
    .option('--json', 'print JSON')
    .option('--results <folder>', 'where the figures are kept', join(root, 'bench/results'))
    .action(async (configs: string[], options: CompareOptions) => {
      const context = readContext(root);
      const peer = findPeer(root);
      const comparisons: Comparison[] = [];
      for (const config of configs.length > 0 ? configs : [join(root, 'bench/configs/small.json')]) {
        for (const setting of settingsOf(options)) {
          const comparison = await compareOne(config, peer, { ...options, setting });
          if (!options.json) console.log(describe(comparison));
          comparisons.push(comparison);
        }
      }
      const path = writeResults(options.results, 'compare', context, { comparisons });
      console.log(options.json ? JSON.stringify({ context, comparisons }) : `written to ${path}`);
    });
}

function addGenerate(program: Command, root: string): void {
  program
    .command('generate')
    .description('time greedy generation with a cache, by full recomputation, and by transformers')
    .option(
      '--model <dir>',
      'a model folder (default: random weights of bench/configs/generate.json, then the embedded model)',
    )
    .option('--config <file>', 'rows, tokens and threads', join(root, 'bench/configs/generate.json'))
    .option('--pairs <n>', 'rounds, at least 5 for a figure worth quoting', Number, 5)
    .option('--json', 'print JSON')
    .action(async ({ model, config, pairs, json }: GenerateOptions) => {
      const context = readContext(root);
      const peer = findPeer(root);
      const comparisons: GenerationComparison[] = [];
      for (const directory of model ? [model] : [undefined, join(root, 'organism/model')]) {
        const comparison = await compareGeneration(readShapes(config), directory, peer, pairs);
        if (!json) console.log(describeGeneration(comparison));
        comparisons.push(comparison);
      }
      const path = writeResults(join(root, 'bench/results'), 'generate', context, { comparisons });
      console.log(json ? JSON.stringify({ context, comparisons }) : `written to ${path}`);
    });
}

function addEncode(program: Command): void {
  program
    .command('encode <model> <data>')
    .description(
      "time the encoding of pairs (columns prompt, rejected, chosen) with a model folder's tokenizer and template",
    )
    .option('--rows <n>', 'at least so many, the file repeated', Number, 2048)
    .action(async (model: string, data: string, options: { readonly rows: number }) => {
      console.log(JSON.stringify(await timeEncoding(model, data, options.rows)));
    });
}

function addServe(program: Command, root: string): void {
  addExecuting(program.command('serve <config>', { hidden: true }))
    .description('warm up, then time a step per line of input')
    .action(async (config: string, options: Executing) => {
      const versions = { onnxruntime: dependency(root, 'onnxruntime-node'), node: process.version };
      await serve(readShapes(config), options, versions);
    });
}

interface GenerateOptions {
  readonly model?: string;
  readonly config: string;
  readonly pairs: number;
  readonly json?: boolean;
}

interface CompareOptions extends Executing, PeerOptions {
  readonly pairs: number;
  readonly labelledLogits?: boolean;
  readonly json?: boolean;
  readonly results: string;
}

async function compareOne(
  config: string,
  peer: Peer | undefined,
  options: CompareOptions & { readonly setting: PeerSetting },
): Promise<Comparison> {
  const shapes = readShapes(config);
  const flags = [...peerArgs(options.setting), ...(options.labelledLogits ? ['--labelled-logits'] : [])];
  const ours = await startOurSide(config, options);
  const theirs =
    peer && (await startSide('peer', peer.python, [join(peer.scripts, 'step.py'), config, ...flags]));
  try {
    const name = basename(config, '.json') + (options.labelledLogits ? ' (peer: labelled logits only)' : '');
    return await interleave(name, shapes, { latstream: ours, peer: theirs }, options.pairs);
  } finally {
    await Promise.all([ours.close(), theirs?.close()]);
  }
}
