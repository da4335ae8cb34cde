/** @file The story of a run with stages that write down what happens to them: order, stopping, resuming, diverging. */
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Cursor, PackedBatch, TrainingBatch } from '../../datasets/index.js';
import { float32 } from '../../engine/index.js';
import { complain } from '../../foundation/index.js';
import {
  checkpointStore,
  run,
  type Attack,
  type Checkpoint,
  type Defender,
  type DefenderState,
  type Evaluation,
  type RunParts,
} from '../../operators/index.js';
import { Control } from '../../streams/index.js';

let directory: string;
beforeEach(async () => (directory = await mkdtemp(join(tmpdir(), 'latstream-run-'))));
afterEach(() => rm(directory, { recursive: true, force: true }));

const pairs: PackedBatch = {
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
        { update: updates - 1, loss: weight, losses: {}, gradientNorm: 1, learningRate: 1 },
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
      warnings: ['never bound'],
      release: () => log.push(`release ${step}`),
    });
  };
}

const NOTHING: Evaluation = { attacks: {}, benign: null };

function parts(
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

async function final(): Promise<Checkpoint | undefined> {
  return checkpointStore({ directory, keep: 1, warn: () => undefined }).latest();
}

describe('run', () => {
  it('attacks, defends, evaluates and saves each batch before it takes the next', async () => {
    const told = parts();
    expect(await run(told)).toEqual({ step: 3, finished: true });
    expect(told.log.filter((entry) => entry === 'closed')).toHaveLength(1);
    expect(told.log.filter((entry) => entry !== 'closed')).toEqual([
      ...['attack 1', 'defend 1 perturbed', 'release 1'],
      ...['attack 2', 'defend 1 perturbed', 'release 2', 'evaluate'],
      ...['attack 3', 'defend 1 perturbed', 'release 3'],
    ]);
    expect(told.metrics.filter((metric) => !/throughput|progress/.test(metric))).toEqual([
      ...['attack 1', 'defend 1', 'attack 2', 'defend 2', 'evaluate 2', 'checkpoint 2'],
      ...['attack 3', 'defend 3', 'checkpoint 3'],
    ]);
    expect(told.metrics.filter((metric) => metric.startsWith('progress'))).toHaveLength(3);
    expect(await readdir(directory)).toEqual(['step-000002', 'step-000003']);
  });

  it('attacks every microbatch for itself', async () => {
    const told = parts({ microbatches: 2, steps: 1 });
    await run(told);
    expect(told.log.filter((entry) => entry !== 'closed').slice(0, 3)).toEqual([
      ...['attack 1', 'attack 1', 'defend 2 perturbed'],
    ]);
  });

  it('trains without an adversary where there is none', async () => {
    const told = parts({ attack: null, evaluate: null });
    await run(told);
    expect(told.log.filter((entry) => entry !== 'closed')).toEqual(['defend 1', 'defend 1', 'defend 1']);
  });

  it('stopped at any step and resumed, ends as if never stopped', async () => {
    await run(parts({ steps: 9 }));
    const whole = await final();
    await fc.assert(
      fc.asyncProperty(fc.array(fc.integer({ min: 1, max: 8 }), { maxLength: 4 }), async (stops) => {
        await rm(directory, { recursive: true, force: true });
        for (const stop of [...stops].sort((a, b) => a - b)) {
          const control = new Control();
          const told = parts({ steps: 9, control });
          const record = told.record;
          const stopping: RunParts = {
            ...told,
            record: (step, kind, values) => {
              if (kind === 'defend' && step >= stop) control.stop();
              return record(step, kind, values);
            },
          };
          const end = await run(stopping);
          expect(end.finished).toBe(end.step === 9);
          // Nothing is lost: the last step is on disk, whatever the rhythm of checkpoints.
          expect((await final())?.step).toBe(end.step);
        }
        expect(await run(parts({ steps: 9 }))).toEqual({ step: 9, finished: true });
        expect(await final()).toEqual(whole);
      }),
      { numRuns: 25 },
    );
  });

  it('stopped in an evaluation records none, and makes it when it is resumed', async () => {
    const control = new Control();
    const told = parts({ control, steps: 5 });
    const stopped: RunParts = {
      ...told,
      evaluate: (signal) => {
        control.stop();
        return Promise.reject(signal.reason as Error);
      },
    };
    expect(await run(stopped)).toEqual({ step: 2, finished: false });
    expect(told.metrics).not.toContain('evaluate 2');
    const resumed = parts({ steps: 5 });
    expect(await run(resumed)).toEqual({ step: 5, finished: true });
    expect(resumed.metrics[0]).toBe('evaluate 2');
    expect(resumed.metrics.filter((metric) => metric.startsWith('evaluate'))).toEqual([
      'evaluate 2',
      'evaluate 4',
    ]);
    expect((await final())?.unevaluated).toBeUndefined();
  });

  it('names a loss that is no number, wherever it was seen, and leaves the last good checkpoint', async () => {
    const told = parts({ steps: 9 });
    const diverging: Attack = (weights, batch, key) =>
      key.step < 5
        ? (told.attack as Attack)(weights, batch, key)
        : complain({ code: 'LOSS_NOT_FINITE', owner: 'attack', expected: 'a', got: 'NaN', hint: 'c' });
    await expect(run({ ...told, attack: diverging })).rejects.toMatchObject({
      code: 'TRAIN_LOSS_NOT_FINITE',
      complaint: { owner: 'training, step 5, attack' },
    });
    expect((await final())?.step).toBe(4);
    expect(told.log).toContain('closed');
  });

  it('never saves weights that are no numbers', async () => {
    const told = parts();
    const broken: Defender = {
      ...told.defender,
      save: () => Promise.resolve({ updates: 1, tensors: { 'trained/w': float32([2], [1, Infinity]) } }),
    };
    await expect(run({ ...told, defender: broken })).rejects.toMatchObject({ code: 'TRAIN_LOSS_NOT_FINITE' });
    expect(await final()).toBeUndefined();
  });

  it('warns where a checkpoint was made on other grounds, and refuses one of another seed', async () => {
    await run(parts({ steps: 2 }));
    const other = parts({ fingerprint: { executor: 'none', threads: 2 } });
    await run(other);
    expect(other.notes[0]).toMatch(/threads 1, this is threads 2.*not be bit-identical/);
    await expect(run(parts({ seed: 2 }))).rejects.toMatchObject({ code: 'CHECKPOINT_SEED' });
  });
});
