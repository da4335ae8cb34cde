/** @file Attack and defence against what the published code computed on a tiny model: losses, δ, adapters. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { pack, type Example, type PackedBatch } from '../../datasets/index.js';
import { createEngine, loadModel, type Engine, type HostTensor, type Value } from '../../engine/index.js';
import { readSafetensors } from '../../formats/index.js';
import {
  createAttack,
  createDefender,
  type AttackConfig,
  type DefendConfig,
  type DefendTrace,
  type Perturbation,
} from '../../operators/index.js';
import { fixtures } from './fixtures.js';
import { EXACT, offDevice, parityExecutors } from './executors.js';
import { cosine, relative } from './measures.js';

const root = join(fixtures, 'lat');
const KNOWN = new Set(['toward', 'away', 'sft', 'kl', 'dpo']);
/** PEFT's settings of the fixtures' adapters; the rank is read from the file. */
const ALPHA = 8;
const PROJECTIONS = ['q_proj', 'k_proj', 'v_proj', 'o_proj', 'up_proj', 'down_proj'];

interface Case {
  readonly adversary: {
    readonly coefs: Record<string, number>;
    readonly layers: readonly (string | number)[];
    readonly epsilon: number;
    readonly lr: number;
    readonly iterations: number;
    readonly completions: boolean;
  };
  readonly defence: {
    readonly coefs: Record<string, number>;
    readonly lr: number;
    readonly iterations: number;
    readonly clip: number;
  };
  readonly adversary_losses: readonly (readonly Record<string, number>[])[];
  readonly defence_losses: readonly Record<string, number>[];
}
interface Row {
  readonly p: readonly number[];
  readonly a: readonly number[];
  readonly c: readonly number[];
}

const present = existsSync(join(root, 'trajectories.json'));
const json = (name: string): unknown => JSON.parse(readFileSync(join(root, name), 'utf8'));
const cases = present ? (json('trajectories.json') as Record<string, Case>) : {};
const rows = present
  ? (json('rows.json') as { lat: readonly (readonly Row[])[]; sft: readonly (readonly Row[])[] })
  : { lat: [], sft: [] };

/** Named in the published configurations, without any code behind it; it counts where coefficients are divided. */
const UNIMPLEMENTED = 'sft_dpo';
const known = (coefs: Record<string, number>) =>
  Object.fromEntries(Object.entries(coefs).filter(([name]) => name !== UNIMPLEMENTED));
const used = (coefs: Record<string, number>) =>
  Object.fromEntries(Object.entries(coefs).filter(([, value]) => value !== 0));
const unknown = ({ adversary, defence }: Case): string[] => {
  const names = new Set(Object.keys({ ...used(known(adversary.coefs)), ...used(known(defence.coefs)) }));
  return [...names].filter((name) => !KNOWN.has(name));
};
const ADAMW = { betas: [0.9, 0.999], adamEpsilon: 1e-8, weightDecay: 0.01 } as const;

function configs({ adversary, defence }: Case, rank: number): { attack: AttackConfig; defend: DefendConfig } {
  return {
    attack: {
      sites: adversary.layers.map((layer) => (layer === 'embedding' ? layer : `layers.${layer}.mlp`)),
      segments: adversary.completions ? 'prompt+completions' : 'prompt',
      epsilon: adversary.epsilon,
      iterations: adversary.iterations,
      learningRate: adversary.lr,
      losses: known(adversary.coefs),
      ...ADAMW,
    },
    defend: {
      iterations: defence.iterations,
      microbatches: 1,
      losses: known(defence.coefs),
      learningRate: defence.lr,
      schedule: { kind: 'constant', warmup: 0 },
      clipNorm: defence.clip,
      train: { kind: 'adapters', rank, alpha: ALPHA, projections: PROJECTIONS },
      ...ADAMW,
    },
  };
}

/** What the published code calls the sites of `layers`. */
const publishedName = (site: string): string => site.replace(/^layers\.(\d+)\.mlp$/, '$1');

async function adapters(file: string): Promise<Record<string, HostTensor>> {
  const { tensors } = await readSafetensors(join(root, file));
  return Object.fromEntries(
    Object.entries(tensors).map(([name, tensor]) => [
      name.replace(/^base_model\.model\./, '').replace(/\.weight$/, ''),
      tensor,
    ]),
  );
}

/** Gives δ, which has a vector per slot, the published shape [rows, positions, width]. */
function byPosition({ data, shape }: HostTensor, positions: number): Float32Array {
  const [batch, slots, width] = shape as [number, number, number];
  const out = new Float32Array(batch * positions * width);
  for (let row = 0; row < batch; row++)
    out.set(
      data.subarray(row * slots * width, row * slots * width + Math.min(slots, positions) * width),
      row * positions * width,
    );
  return out;
}

interface Step {
  readonly perturbation: Perturbation;
  readonly deltas: Record<string, HostTensor>;
  readonly defence: readonly DefendTrace[];
}

/** Runs a case the way the published loop does, on our operators; with its clipping, in which δ's gradients count. */
async function replay(
  engine: Engine,
  one: Case,
): Promise<{ steps: Step[]; trained: Record<string, HostTensor> }> {
  const { config, parameters } = await loadModel(join(root, 'model'));
  const upload = (tensors: Readonly<Record<string, HostTensor>>): Record<string, Value> =>
    Object.fromEntries(Object.entries(tensors).map(([name, tensor]) => [name, engine.upload(tensor)]));
  const initial = await adapters('adapters_init.safetensors');
  const rank = Object.entries(initial).find(([name]) => name.endsWith('lora_A'))![1].shape[0]!;
  const { attack, defend } = configs(one, rank);
  const defender = createDefender(engine, { config }, defend, {
    weights: { parameters: upload(parameters), adapters: upload(initial) },
    updates: rows.lat.length * defend.iterations,
    seed: 0,
  });
  const find = createAttack(engine, defender.model, attack, { keepGradients: true });
  const steps: Step[] = [];
  for (const [step, batch] of rows.lat.entries()) {
    const pairs = pack(batch.map(pairOf), { attacked: attack.segments });
    const perturbation = await find(defender.weights(), pairs, { step, seed: 0 });
    const deltas: Record<string, HostTensor> = {};
    for (const [site, delta] of Object.entries(perturbation.deltas))
      deltas[site] = await engine.download(delta);
    const benign: PackedBatch = pack(rows.sft[step]!.map(benignOf), { attacked: 'none' });
    const defence = await defender.step([
      { pairs, deltas: perturbation.deltas, leftover: perturbation.gradients!, benign },
    ]);
    perturbation.release();
    steps.push({ perturbation, deltas, defence });
  }
  const { tensors } = await defender.save();
  const trained = Object.entries(tensors).filter(([name]) => name.startsWith('trained/'));
  return { steps, trained: Object.fromEntries(trained.map(([name, tensor]) => [name.slice(8), tensor])) };
}

const pairOf = ({ p, a, c }: Row): Example => ({ prompt: p, adversarial: a, desired: c });
const benignOf = ({ p, c }: Row): Example => ({ prompt: p, desired: c });
const paddedLength = (batch: readonly Row[]): number =>
  Math.max(...batch.map(({ p, a, c }) => p.length + Math.max(a.length, c.length)));

const executors = parityExecutors(Object.keys(cases));

for (const [executor, { make, only, not, tolerances = EXACT }] of Object.entries(executors))
  describe(`lat on ${executor}`, { timeout: 300_000 }, () => {
    let engine: Engine;
    beforeAll(() => {
      engine = createEngine(make());
    });
    afterAll(() => engine.dispose());
    if (!present) it.skip(`no trajectories.json in ${root}`, () => undefined);
    if (only.length === 0) it.skip(`not here: ${not}`, () => undefined);

    for (const [name, one] of Object.entries(cases)) {
      if (!only.includes(name)) continue;
      const losses = unknown(one);
      if (losses.length > 0) {
        it.skip(`${name}: losses ${losses.join(', ')} are not known yet`, () => undefined);
        continue;
      }
      it(`${name}: losses, every step's δ and the final adapters are the published ones`, async () => {
        const { steps, trained } = await replay(engine, one);
        for (const [step, { perturbation, deltas, defence }] of steps.entries()) {
          const tolerance = step === 0 ? tolerances.first : tolerances.later;
          const near = (label: string, got: number, expected: number): void =>
            expect(
              relative(got, expected, tolerances.least),
              `${label}: ${got}, published ${expected}`,
            ).toBeLessThan(tolerance);
          one.adversary_losses[step]!.forEach((published, k) => {
            for (const loss of ['toward', 'away', 'dpo'])
              if (`adv_${loss}` in published)
                near(
                  `step ${step}.${k} ${loss}`,
                  perturbation.trace[k]!.losses[loss]!,
                  published[`adv_${loss}`]!,
                );
          });
          defence.forEach(({ losses }, k) => {
            const published = one.defence_losses[step * defence.length + k]!;
            for (const [loss, value] of Object.entries(losses))
              near(`step ${step}.${k} defence ${loss}`, value, published[`def_${loss}`]!);
          });
          const expected = await readSafetensors(join(root, `${name}.deltas.safetensors`));
          for (const [site, delta] of Object.entries(deltas)) {
            const published = expected.tensors[`step${step}.${publishedName(site)}`]!;
            const ours = byPosition(delta, paddedLength(rows.lat[step]!));
            expect(ours.length).toBe(published.data.length);
            expect(cosine(ours, published.data), `δ of step ${step} at ${site}`).toBeGreaterThan(
              tolerances.cosine,
            );
          }
        }
        const final = await adapters(`${name}.adapters_final.safetensors`);
        expect(Object.keys(trained).sort()).toEqual(Object.keys(final).sort());
        const initial = await adapters('adapters_init.safetensors');
        for (const [tensor, { data }] of Object.entries(final)) {
          expect(cosine(trained[tensor]!.data, data), tensor).toBeGreaterThan(tolerances.cosine);
          const moved = (to: ArrayLike<number>) =>
            Float32Array.from(to, (x, at) => x - initial[tensor]!.data[at]!);
          if (moved(data).some((x) => x !== 0))
            expect(
              cosine(moved(trained[tensor]!.data), moved(data)),
              `movement of ${tensor}`,
            ).toBeGreaterThan(tolerances.movement);
        }
      });
    }

    if (executor === 'webgpu' && only.length > 0)
      it('runs attacks and defences without a node or a copy off the device', async () => {
        await engine.dispose();
        expect(offDevice()).toEqual([]);
      });
  });
