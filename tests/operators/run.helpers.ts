/** @file Stages of a run that write down what happens to them. */
import type { Cursor, PackedBatch, TrainingBatch } from '../../datasets/index.js';
import { float32 } from '../../engine/index.js';
import {
  checkpointStore,
  passesOver,
  type Attack,
  type Defender,
  type DefenderState,
  type Evaluation,
  type Pool,
  type RunParts,
} from '../../operators/index.js';
import { Control } from '../../streams/index.js';

export const pairs: PackedBatch = {
  rows: 2,
  length: 1,
  tokens: new Int32Array(2),
  positions: new Int32Array(2),
  segments: new Int32Array([1, 0]),
  slots: new Int32Array(2),
  slotCount: 1,
  rowWeight: 1,
  labels: {},
};

async function* batches(from: Cursor | undefined, log: string[]): AsyncGenerator<TrainingBatch> {
  try {
    for (let index = from?.batches ?? 0; ; index++)
      yield { index, pairs, cursor: { version: 1, batches: index + 1 } as unknown as Cursor };
  } finally {
    log.push('closed');
  }
}

/** A defender whose weight is a function of everything that happened to it. */
function defender(log: string[]): Defender {
  let [weight, updates] = [1, 0];
  return {
    model: {} as Defender['model'],
    get updates() {
      return updates;
    },
    weights: () => ({ parameters: {}, adapters: {} }),
    base: () => ({}),
    step: (parts) => {
      log.push(`defend ${parts.length}${parts.every((part) => part.deltas) ? ' perturbed' : ''}`);
      weight = (weight * 31 + ++updates) % 1009;
      return Promise.resolve([
        {
          update: updates - 1,
          loss: weight,
          losses: {},
          gradientNorm: 1,
          learningRate: 1,
          passes: passesOver(pairs, 1, 1),
        },
      ]);
    },
    save: () => Promise.resolve({ updates, tensors: { 'trained/w': float32([1], [weight]) } }),
    restore: (state: DefenderState) => {
      weight = state.tensors['trained/w']?.data[0] ?? NaN;
      updates = state.updates;
    },
  };
}

function attack(log: string[]): Attack {
  return (_weights, batch, { step }) => {
    log.push(`attack ${step}`);
    const shape = [batch.rows, 1, 1];
    return Promise.resolve({
      deltas: { embedding: { dtype: 'float32', shape } },
      slots: { dtype: 'int32', shape: [batch.rows, 1] },
      trace: [
        {
          iteration: 0,
          loss: 2,
          losses: { toward: 2 },
          norms: { embedding: 0.5 },
          meanNorms: { embedding: 0.5 },
        },
      ],
      passes: passesOver(batch, 3, 2),
      warnings: ['never bound'],
      release: () => log.push(`release ${step}`),
    });
  };
}

/** A pool whose one case is a function of everything that happened to it, and stands in the batch's first token. */
export function pool(log: string[]): Pool {
  let state = { prompt: '', adversarial: '', desired: '', suffix: '7', since: 0 };
  return {
    searched: (given, { step, seed }) => {
      log.push(`search ${step}`);
      const suffix = (Number(state.suffix) * 31 + step + seed) % 1009;
      state = { ...state, suffix: String(suffix), since: step };
      const tokens = Int32Array.of(suffix, 0);
      const values = { firstLoss: 2, loss: 1, cases: 1, resets: 0, meanAge: step };
      return Promise.resolve({ pairs: { ...given, tokens }, values, passes: passesOver(given, 5, 4) });
    },
    save: () => [state],
    restore: (saved) => void (state = saved[0] as typeof state),
  };
}

const NOTHING: Evaluation = { attacks: {}, benign: null };

/** Stages that write down what happens to them; checkpoints go into `directory`. */
export function partsIn(
  directory: string,
  over: Partial<RunParts> = {},
): RunParts & { log: string[]; metrics: string[]; notes: string[] } {
  const [log, metrics, notes]: [string[], string[], string[]] = [[], [], []];
  return {
    log,
    metrics,
    notes,
    seed: 1,
    steps: 3,
    microbatches: 1,
    pool: null,
    batches: (from) => batches(from, log),
    attack: attack(log),
    epsilon: 0.5,
    defender: defender(log),
    evaluate: () => {
      log.push('evaluate');
      return Promise.resolve(NOTHING);
    },
    every: { evaluate: 2, checkpoint: 2 },
    checkpoints: checkpointStore({ directory, keep: 2, warn: (text) => notes.push(text) }),
    fingerprint: { executor: 'none', threads: 1 },
    control: new Control(),
    record: (step, kind, values) => {
      metrics.push(`${kind} ${step}`);
      return { run: 'r', sequence: 0, time: 0, step, kind, values };
    },
    note: (text) => notes.push(text),
    warn: (text) => notes.push(text),
    ...over,
  };
}
