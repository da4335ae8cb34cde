/** @file The story of a run with stages that write down what happens to them: order, stopping, resuming, diverging. */
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { float32 } from '../../engine/index.js';
import { complain } from '../../foundation/index.js';
import {
  checkpointStore,
  run,
  type Attack,
  type Checkpoint,
  type Defender,
  type RunParts,
} from '../../operators/index.js';
import { Control } from '../../streams/index.js';
import { partsIn, pool } from './run.helpers.js';

let directory: string;
beforeEach(async () => (directory = await mkdtemp(join(tmpdir(), 'latstream-run-'))));
afterEach(() => rm(directory, { recursive: true, force: true }));

const parts = (over: Partial<RunParts> = {}): ReturnType<typeof partsIn> => partsIn(directory, over);

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
    expect(told.metrics.filter((metric) => !/throughput|progress|stream/.test(metric))).toEqual([
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

  it('searches suffixes first where there is a pool: attack and defence take what it gives', async () => {
    const [log, attacked]: [string[], number[]] = [[], []];
    const told = parts({ steps: 1, pool: pool(log) });
    const watching: Attack = (weights, batch, key) => {
      attacked.push(batch.tokens[0] as number);
      return (told.attack as Attack)(weights, batch, key);
    };
    await run({ ...told, attack: watching });
    expect(log).toEqual(['search 1']);
    expect(attacked).toEqual([(7 * 31 + 1 + 1) % 1009]);
    expect(told.metrics.slice(0, 3)).toEqual(['pool 1', 'attack 1', 'defend 1']);
    expect((await final())?.passes).toMatchObject({ forwardPasses: 5 + 3 + 1, backwardTokens: 4 + 2 + 1 });
  });

  it('stopped at any step and resumed, ends as if never stopped', async () => {
    await run(parts({ steps: 9, pool: pool([]) }));
    const whole = await final();
    expect(whole?.passes?.forwardPasses).toBe(9 * (5 + 3 + 1));
    expect(whole?.pool).toMatchObject([{ since: 9 }]);
    await fc.assert(
      fc.asyncProperty(fc.array(fc.integer({ min: 1, max: 8 }), { maxLength: 4 }), async (stops) => {
        await rm(directory, { recursive: true, force: true });
        for (const stop of [...stops].sort((a, b) => a - b)) {
          const control = new Control();
          const told = parts({ steps: 9, control, pool: pool([]) });
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
        expect(await run(parts({ steps: 9, pool: pool([]) }))).toEqual({ step: 9, finished: true });
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

  it('goes on without counting passes where a checkpoint does not know them', async () => {
    await run(parts({ steps: 2 }));
    const { passes, ...uncounted } = (await final()) as Checkpoint;
    expect(passes).toMatchObject({ forwardPasses: 8, backwardTokens: 6 });
    await checkpointStore({ directory, keep: 1, warn: () => undefined }).save(uncounted);
    await run(parts());
    expect((await final())?.passes).toBeUndefined();
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
