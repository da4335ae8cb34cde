/** @file Checkpoints: whole or not at all, exact, and never the damaged one. */
import { cp, mkdtemp, readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { float32 } from '../../engine/index.js';
import { checkpointStore } from '../../operators/checkpoint.js';
import type { Checkpoint } from '../../operators/manifest.js';

let directory: string;
beforeEach(async () => (directory = await mkdtemp(join(tmpdir(), 'latstream-checkpoint-'))));
afterEach(() => rm(directory, { recursive: true, force: true }));

function store(keep = 3) {
  const warnings: string[] = [];
  return { warnings, ...checkpointStore({ directory, keep, warn: (message) => warnings.push(message) }) };
}

function checkpoint(step: number, values: readonly number[] = [step, -0, 1e-42, 3e38]): Checkpoint {
  return {
    step,
    seed: 7,
    cursor: { epoch: 1, row: step },
    updates: 2 * step,
    pool: [{ prompt: '1 2', adversarial: '3', desired: '4', suffix: '5', since: step }],
    fingerprint: { executor: 'tfjs-cpu', threads: 1 },
    tensors: { 'parameters/a': float32([values.length], Float32Array.from(values)) },
  };
}

describe('checkpointStore', () => {
  it('gives back every bit that was saved', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.float({ noNaN: true }), { minLength: 1, maxLength: 20 }),
        fc.jsonValue(),
        fc.nat(1e6),
        async (values, cursor, step) => {
          const saved = {
            ...checkpoint(step, values),
            cursor: JSON.parse(JSON.stringify(cursor)) as unknown,
          };
          await rm(directory, { recursive: true, force: true });
          await store().save(saved);
          expect(await store().latest()).toEqual(saved);
        },
      ),
      { numRuns: 30 },
    );
  });

  it('has nothing before the first save', async () => {
    expect(await store().latest()).toBeUndefined();
    expect(
      await checkpointStore({ directory: join(directory, 'none'), keep: 1, warn: () => 0 }).latest(),
    ).toBe(undefined);
  });

  it('keeps the last n, by step and not by name', async () => {
    const { save } = store(2);
    for (const step of [999_998, 999_999, 1_000_000]) await save(checkpoint(step));
    expect((await readdir(directory)).sort()).toEqual(['step-1000000', 'step-999999']);
    expect((await store().latest())?.step).toBe(1_000_000);
  });

  it('never removes the one that it just wrote in favour of a damaged later one', async () => {
    await store(2).save(checkpoint(80));
    await truncate(join(await store(2).save(checkpoint(100)), 'state.safetensors'), 40);
    const { save, latest } = store(1);
    expect((await latest())?.step).toBe(80);
    await save(checkpoint(90));
    expect(await readdir(directory)).toEqual(['step-000090']);
    expect((await latest())?.step).toBe(90);
  });

  it('keeps what is best by its score, and those of every so many steps', async () => {
    const options = { directory, keep: 1, keepEvery: 30, warn: () => undefined };
    const best = { metric: 'evaluate.x', is: 'least', keep: 1 } as const;
    const { save, latest } = checkpointStore({ ...options, best });
    for (const [step, score] of [[10, 3], [20, 1], [30], [40, 2], [50, 5]] as const)
      await save({ ...checkpoint(step), ...(score !== undefined && { score }) });
    expect((await readdir(directory)).sort()).toEqual(['step-000020', 'step-000030', 'step-000050']);
    expect((await latest())?.score).toBe(5);
  });

  it('leaves no part of one that could not be written', async () => {
    const broken = { ...checkpoint(5), cursor: 1n }; // no JSON, when the tensors are written
    await store().save(checkpoint(4));
    await expect(store().save(broken)).rejects.toThrow();
    expect(await readdir(directory)).toEqual(['step-000004']);
  });

  it('never picks up a half-written one', async () => {
    const { save, latest, warnings } = store();
    const whole = await save(checkpoint(1));
    await cp(whole, join(directory, '.step-000002.writing'), { recursive: true });
    expect((await latest())?.step).toBe(1);
    expect(warnings).toEqual([]);
    await save(checkpoint(2));
    expect((await latest())?.step).toBe(2);
    expect((await readdir(directory)).sort()).toEqual(['step-000001', 'step-000002']);
  });

  it.each([
    ['a truncated state', (path: string) => truncate(join(path, 'state.safetensors'), 40), '40 bytes'],
    ['a missing state', (path: string) => rm(join(path, 'state.safetensors')), 'no readable state'],
    [
      'a missing manifest',
      (path: string) => rm(join(path, 'checkpoint.json')),
      'no readable checkpoint.json',
    ],
    ['a broken manifest', (path: string) => writeFile(join(path, 'checkpoint.json'), '{'), 'no JSON object'],
    ['a flipped bit', flipLastBit, 'another digest'],
  ])('goes back past %s and says so', async (_name, damage, message) => {
    const { save, latest, warnings } = store();
    await save(checkpoint(4));
    await damage(await save(checkpoint(6)));
    expect((await latest())?.step).toBe(4);
    expect(warnings).toHaveLength(1);
    expect(warnings[0]).toContain(message);
    expect(warnings[0]).toContain('going back to step-000004');
  });

  it('says so when none is whole, rather than starting anew', async () => {
    const { save, latest } = store();
    await flipLastBit(await save(checkpoint(4)));
    await expect(latest()).rejects.toMatchObject({ code: 'CHECKPOINT_ALL_CORRUPT' });
  });

  it('refuses the format of another version', async () => {
    const { save, latest } = store();
    const path = join(await save(checkpoint(1)), 'checkpoint.json');
    await writeFile(path, (await readFile(path, 'utf8')).replace('"version": 1', '"version": 2'));
    await expect(latest()).rejects.toThrow('version 2');
  });
});

async function flipLastBit(path: string): Promise<void> {
  const file = join(path, 'state.safetensors');
  const bytes = await readFile(file);
  bytes[bytes.length - 1] = (bytes.at(-1) ?? 0) ^ 1;
  await writeFile(file, bytes);
}
