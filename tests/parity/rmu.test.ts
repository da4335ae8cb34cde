/** @file Representation misdirection, with and without latent attack, against what the published code computed. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { pack, type LabelSet, type PackedBatch } from '../../datasets/index.js';
import {
  createEngine,
  loadModel,
  onnxruntimeExecutor,
  type HostTensor,
  type Value,
} from '../../engine/index.js';
import { readSafetensors } from '../../formats/index.js';
import { createAttack, createDefender, type AttackConfig, type DefendConfig } from '../../operators/index.js';
import { fixtures } from './fixtures.js';
import { cosine, relative } from './measures.js';

interface Published {
  readonly forget: readonly (readonly string[])[];
  readonly retain: readonly (readonly string[])[];
  readonly padded_length: number;
  readonly settings: Record<
    'alpha' | 'layer_id' | 'lr' | 'pgd_layer' | 'epsilon' | 'inner_lr' | 'iterations',
    number
  > & {
    readonly layer_ids: readonly number[];
    readonly adv: { readonly toward: number; readonly away: number };
    readonly model_iterations_per_step: number;
  };
  readonly rmu: Case;
  readonly rmu_lat: Case;
}
interface Case {
  readonly adversary_losses: readonly (readonly Record<string, number>[])[];
  readonly unlearn_retain_mse_pairs: readonly number[];
}

const root = join(fixtures, 'lat');
const BOS = 1;
const ADAMW = { betas: [0.9, 0.999], adamEpsilon: 1e-8, weightDecay: 0.01 } as const;
const idsOf = (text: string): number[] => [BOS, ...text.split(' ').map(Number)];

/** Every row as the published code has it: from position 0, padded with 0 that nobody sees but that sees the row. */
function padded(rows: readonly (readonly number[])[], length: number): PackedBatch {
  const at = (fill: (row: readonly number[], column: number) => number): Int32Array =>
    Int32Array.from(rows.flatMap((row) => Array.from({ length }, (_, column) => fill(row, column))));
  return {
    rows: rows.length,
    rowWeight: 1 / rows.length,
    length,
    tokens: at((row, column) => row[column] ?? 0),
    positions: at((_row, column) => column),
    segments: at((row, column) => (column < row.length ? 1 : 0)),
    slots: at((row, column) => (column < row.length ? column : -1)),
    slotCount: length,
    labels: {},
  };
}

/** Labels of every token but the first. */
function labels(rows: readonly (readonly number[])[], length: number, from = 0): LabelSet {
  const all = rows.flatMap((row, at) =>
    row.slice(1).map((token, column) => ({ token, index: (from + at) * length + column })),
  );
  return {
    index: Int32Array.from(all, ({ index }) => index),
    tokens: Int32Array.from(all, ({ token }) => token),
    weights: new Float32Array(all.length).fill(1 / all.length),
  };
}

const present = existsSync(join(root, 'rmu.json'));
const published = present
  ? (JSON.parse(readFileSync(join(root, 'rmu.json'), 'utf8')) as Published)
  : undefined;

describe('representation misdirection', () => {
  const engine = createEngine(onnxruntimeExecutor({ threads: 1 }));
  afterAll(() => engine.dispose());
  if (!published) {
    it.skip(`no rmu.json in ${root}`, () => undefined);
    return;
  }
  const { settings, padded_length: length } = published;
  const defend: DefendConfig = {
    iterations: 1,
    microbatches: 1,
    losses: { rmu: 1, retain: settings.alpha },
    objectives: { rmu: { layer: settings.layer_id } },
    learningRate: settings.lr,
    schedule: { kind: 'constant', warmup: 0 },
    clipNorm: 1e9,
    train: { kind: 'full', layers: settings.layer_ids, modules: ['down_proj'] },
    ...ADAMW,
  };
  const attack: AttackConfig = {
    sites: [`layers.${settings.pgd_layer}.mlp`],
    segments: 'prompt+completions',
    epsilon: settings.epsilon,
    iterations: settings.iterations,
    learningRate: settings.inner_lr,
    losses: settings.adv,
    ...ADAMW,
  };

  for (const name of ['rmu', 'rmu_lat'] as const)
    it(`${name}: losses, δ and the final weights are the published ones`, async () => {
      const { config, parameters } = await loadModel(join(root, 'model'));
      const weights = Object.fromEntries(
        Object.entries(parameters).map(([key, tensor]): [string, Value] => [key, engine.upload(tensor)]),
      );
      const updates = name === 'rmu' ? 1 : settings.model_iterations_per_step;
      const defender = createDefender(
        engine,
        { config },
        { ...defend, iterations: updates },
        {
          weights: { parameters: weights, adapters: {} },
          updates: 99,
          seed: 0,
        },
      );
      const find = createAttack(engine, defender.model, attack);
      const controls = await readSafetensors(join(root, 'rmu.control.safetensors'));
      const losses: number[] = [];
      for (const [step, texts] of published.forget.entries()) {
        const forget = texts.map(idsOf);
        const retain = published.retain[step]!.map(idsOf);
        const pairs = { ...padded(forget, length), labels: { adversarial: labels(forget, length) } };
        const benign = { ...padded(retain, length), labels: { desired: labels(retain, length) } };
        let deltas: Record<string, Value> = {};
        if (name === 'rmu_lat') {
          const found = await find(defender.weights(), paired(forget, retain, length), { step, seed: 0 });
          found.trace.forEach((trace, k) => {
            for (const loss of ['toward', 'away'])
              expect(
                relative(trace.losses[loss]!, published.rmu_lat.adversary_losses[step]![k]![`adv_${loss}`]!),
                `step ${step}.${k} ${loss}`,
              ).toBeLessThan(step === 0 ? 1e-4 : 1e-3);
          });
          const [site] = attack.sites as [string];
          const expected = await readSafetensors(join(root, 'rmu_lat.deltas.safetensors'));
          const delta = (await engine.download(found.deltas[site]!)).data;
          expect(
            cosine(delta, expected.tensors[`step${step}.${settings.pgd_layer}`]!.data),
            `δ of step ${step}`,
          ).toBeGreaterThan(0.999);
          deltas = { ...found.deltas };
        }
        const { data } = controls.tensors[`control${step}`]!;
        const control = { dtype: 'float32', shape: [config.width], data } as HostTensor;
        const trace = await defender.step([
          { pairs, benign, deltas, published: { countPadding: true, control } },
        ]);
        losses.push(...trace.flatMap(({ losses: { rmu, retain: kept } }) => [rmu!, kept!]));
      }
      const pairsOf = published[name].unlearn_retain_mse_pairs;
      expect(losses).toHaveLength(pairsOf.length);
      losses.forEach((loss, at) => {
        if (pairsOf[at] === 0) expect(Math.abs(loss), `loss ${at}`).toBeLessThan(1e-9);
        else expect(relative(loss, pairsOf[at]!), `loss ${at}: ${loss}`).toBeLessThan(at < 2 ? 1e-4 : 1e-3);
      });
      const final = await readSafetensors(join(root, `${name}.down_proj_final.safetensors`));
      const after = defender.weights().parameters;
      for (const [short, { data }] of Object.entries(final.tensors)) {
        const key = `model.${short}`;
        const ours = (await engine.download(after[key]!)).data;
        const moved = (to: ArrayLike<number>) =>
          Float32Array.from(to, (x, at) => x - parameters[key]!.data[at]!);
        expect(cosine(ours, data), short).toBeGreaterThan(0.999);
        expect(cosine(moved(ours), moved(data)), `movement of ${short}`).toBeGreaterThan(0.999);
      }
    });
});

/** Forget text as the adversarial, retain text as the desired completion of BOS; both share a position's vector. */
function paired(
  forget: readonly (readonly number[])[],
  retain: readonly (readonly number[])[],
  length: number,
): PackedBatch {
  const batch = pack(
    forget.map((text, at) => ({ prompt: [BOS], adversarial: text.slice(1), desired: retain[at]!.slice(1) })),
    { attacked: 'prompt+completions', minimum: { slots: length } },
  );
  // Attacked are the positions of the forget text: not those of a retain text that is longer.
  const slots = batch.slots.map((slot, at) =>
    slot < forget[Math.floor(at / batch.length)]!.length ? slot : -1,
  );
  return { ...batch, slots };
}
