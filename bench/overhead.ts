/** @file The share of a run's time that is not attack and defence: streams, data and reports, on a configuration's shapes. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadChatTemplate, loadTokenizer, trainingBatches, type TrainingBatch } from '../datasets/index.js';
import { createEngine, onnxruntimeExecutor } from '../engine/index.js';
import { run, type Attack, type DefendPart, type Defender } from '../operators/index.js';
import { Control, MetricJournal } from '../streams/index.js';
import { writeSized } from './sized-table.js';
import type { Shapes } from './shapes.js';
import { trainingStages } from './step.js';
import { median, seconds } from './timing.js';

export interface OverheadResult {
  readonly steps: number;
  /** Median step of the run loop, and the median of what it spends outside of attack and defence. */
  readonly step_seconds: number;
  readonly outside_seconds: number;
  /** Outside / whole, over all steps. */
  readonly share: number;
  /** Median step of the bare calls on the same batches, afterwards; encoding in a thread competes with the loop only. */
  readonly bare_seconds: number;
}

interface StepTime {
  readonly whole: number;
  readonly inside: number;
  readonly part: DefendPart;
}

/** @param root of the repository, whose tokenizer encodes. @param steps that are timed, after one that compiles. */
export async function timeOverhead(root: string, given: Shapes, steps: number): Promise<OverheadResult> {
  const model = join(root, 'organism/model');
  const tokenizer = await loadTokenizer(model);
  const shapes = { ...given, vocab: Math.max(given.vocab, tokenizer.size) };
  const folder = await mkdtemp(join(tmpdir(), 'latstream-overhead-'));
  const engine = createEngine(onnxruntimeExecutor(shapes), { weights: shapes.weights });
  try {
    const { pairs, benign } = await writeSized(folder, tokenizer, shapes);
    const template = await loadChatTemplate(model, tokenizer);
    const batches = (): AsyncIterable<TrainingBatch> =>
      trainingBatches(
        {
          pairs: {
            path: pairs,
            columns: { prompt: 'prompt', adversarial: 'adversarial', desired: 'desired' },
          },
          benign: { path: benign, columns: { prompt: 'prompt', completion: 'desired' } },
          batchSize: shapes.batch,
          context: 8192,
          minimum: { length: shapes.prompt + 2 * shapes.completion, slots: shapes.prompt },
          encoding: { threads: 1 },
        },
        template,
        { seed: 0 },
      );
    const { attack, defender } = trainingStages(engine, shapes);
    const times = await timeLoop(attack, defender, batches, steps);
    const bare: number[] = [];
    for (const { part } of times) bare.push(await seconds(() => bareStep(attack, defender, part)));
    const whole = times.reduce((sum, each) => sum + each.whole, 0);
    const inside = times.reduce((sum, each) => sum + each.inside, 0);
    return {
      steps,
      step_seconds: median(times.map((each) => each.whole)),
      outside_seconds: median(times.map((each) => each.whole - each.inside)),
      share: 1 - inside / whole,
      bare_seconds: median(bare),
    };
  } finally {
    await engine.dispose();
    await rm(folder, { recursive: true, force: true });
  }
}

/** The run loop as it is, with nothing to evaluate or save; a step lasts from report to report. */
async function timeLoop(
  attack: Attack,
  defender: Defender,
  batches: () => AsyncIterable<TrainingBatch>,
  steps: number,
): Promise<StepTime[]> {
  const times: StepTime[] = [];
  let inside = 0;
  let began = performance.now();
  let part: DefendPart = {};
  const timed = async <T>(work: () => Promise<T>): Promise<T> => {
    const start = performance.now();
    const result = await work();
    inside += performance.now() - start;
    return result;
  };
  const reported = (): void => {
    const now = performance.now();
    times.push({ whole: (now - began) / 1000, inside: inside / 1000, part });
    [began, inside] = [now, 0];
  };
  const record = new MetricJournal(({ kind }) => {
    if (kind === 'progress') reported();
  }).recorder('bench');
  await run({
    seed: 0,
    // The first step compiles, and the last one is followed by a checkpoint.
    steps: steps + 2,
    batches,
    microbatches: 1,
    pool: null,
    attack: (...given) => timed(() => attack(...given)),
    defender: {
      model: defender.model,
      base: () => defender.base(),
      updates: 0,
      weights: () => defender.weights(),
      step: (parts) => {
        part = parts[0] ?? {};
        return timed(() => defender.step(parts));
      },
      save: () => Promise.resolve({ updates: 0, tensors: {} }),
      restore: () => undefined,
    },
    evaluate: null,
    every: { evaluate: 0, checkpoint: 0 },
    checkpoints: { latest: () => Promise.resolve(undefined), save: () => Promise.resolve('') },
    fingerprint: {},
    control: new Control(),
    record,
    note: () => undefined,
    warn: () => undefined,
  });
  return times.slice(1, -1);
}

async function bareStep(attack: Attack, defender: Defender, { pairs, benign }: DefendPart): Promise<void> {
  if (!pairs || !benign) throw new Error('a step without rows');
  const perturbation = await attack(defender.weights(), pairs, { step: 0, seed: 0 });
  await defender.step([{ pairs, benign, deltas: perturbation.deltas }]);
  perturbation.release();
}

export function describeOverhead(result: OverheadResult): string {
  const { step_seconds: step, outside_seconds: outside, share, bare_seconds: bare, steps } = result;
  return (
    `${step.toFixed(4)} s a step of the run loop (median of ${steps}), ${(1000 * outside).toFixed(2)} ms of it outside of ` +
    `attack and defence: ${(100 * share).toFixed(2)} % over all steps; the bare calls take ${bare.toFixed(4)} s`
  );
}
