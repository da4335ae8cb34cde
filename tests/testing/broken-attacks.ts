/** @file A right attack, and what becomes of it when it is broken on purpose: what the laws of attacks are there to catch. */
import type { PackedBatch } from '../../datasets/index.js';
import type { Value } from '../../engine/index.js';
import { createAttack, type Attack, type AttackConfig, type Perturbation } from '../../operators/index.js';
import type { AttackSetting, LawName } from '../../testing/index.js';

type Make = (setting: AttackSetting) => Attack;

const SITES = ['embedding', 'layers.1.mlp'];
const config: AttackConfig = {
  sites: SITES,
  segments: 'prompt',
  epsilon: 1,
  iterations: 3,
  learningRate: 0.3,
  betas: [0.9, 0.999],
  adamEpsilon: 1e-8,
  weightDecay: 0.01,
  losses: { toward: 1 },
};

/** Nothing is wrong with this one. */
export const right: Make = ({ engine, model, epsilon }) =>
  createAttack(engine, model, { ...config, epsilon });

/** Attacks, by what is wrong with them: the law that is there to say so, and others that may notice. */
export const BROKEN: readonly (readonly [string, Make, LawName, ...LawName[]])[] = [
  ['projects nothing', configured({ epsilon: 1e6 }), 'staysInBall', 'identityAtZero', 'reportsSlack'],
  ['has ε baked in', configured({ epsilon: 2 }), 'staysInBall', 'identityAtZero', 'reportsSlack'],
  [
    'projects the last site only',
    entrywise((value, { site }) => (site === SITES.at(-1) ? value : value * 3)),
    'staysInBall',
    'reportsSlack',
    'lowersItsLoss',
  ],
  ['perturbs padding', slotwise((slot, { segment }) => (segment === 0 ? 0 : slot)), 'zeroOffTheMask'],
  [
    'ignores the mask',
    slotwise((slot, { segment }) => (segment === 0 ? slot : Math.max(slot, 0))),
    'zeroOffTheMask',
  ],
  [
    'leaves something in vectors that no token receives',
    entrywise((value) => (value === 0 ? 1e-3 : value)),
    'zeroOffTheMask',
    'identityAtZero',
  ],
  ['does nothing', entrywise(() => 0), 'aliveInEveryPart', 'zeroOffTheMask', 'lowersItsLoss'],
  ['hardly does anything', entrywise((value) => value * 1e-4), 'lowersItsLoss'],
  ['climbs where it should descend', entrywise((value) => -value), 'lowersItsLoss'],
  [
    'forgets a row',
    entrywise((value, { row }) => (row === 0 ? 0 : value)),
    'aliveInEveryPart',
    'partsLikeWhole',
  ],
  ['is detached in all parts but the last', detached, 'aliveInEveryPart', 'partsLikeWhole'],
  [
    'depends on where in its batch a row stands',
    entrywise((value, { row }) => value / (row + 1)),
    'partsLikeWhole',
  ],
  [
    'is something even at ε = 0',
    (setting) => right({ ...setting, epsilon: Math.max(setting.epsilon, 1e-2) }),
    'identityAtZero',
  ],
  [
    'depends on how often it was used',
    entrywise((value, { call }) => value / (call + 1)),
    'repeatsItself',
    'partsLikeWhole',
  ],
  [
    'trains what it attacks',
    training,
    'changesNoWeight',
    'leavesNothingBehind',
    'repeatsItself',
    'partsLikeWhole',
  ],
  [
    'leaves its batch other than it was',
    writing,
    'leavesNothingBehind',
    'repeatsItself',
    'partsLikeWhole',
    'lowersItsLoss',
  ],
  ['never says that ε is idle', warning([]), 'reportsSlack'],
  ['always says that ε is idle', warning(['ε never bound']), 'reportsSlack'],
];

/** With some of its configuration changed. */
function configured(over: Partial<AttackConfig>): Make {
  return ({ engine, model, epsilon }) => createAttack(engine, model, { ...config, epsilon, ...over });
}

/** With its result changed, after the attack or on the next one. */
function changed(
  change: (
    found: Perturbation,
    setting: AttackSetting,
    batch: PackedBatch,
    call: number,
  ) => Promise<Partial<Perturbation>>,
): Make {
  return (setting) => {
    const attack = right(setting);
    let call = 0;
    return async (weights, batch, key) => {
      const found = await attack(weights, batch, key);
      return { ...found, ...(await change(found, setting, batch, call++)) };
    };
  };
}

/** With every entry of δ changed. */
function entrywise(
  replace: (
    value: number,
    at: { readonly site: string; readonly row: number; readonly call: number },
  ) => number,
): Make {
  return changed(async ({ deltas }, { engine }, { rows }, call) => {
    const replaced: Record<string, Value> = {};
    for (const [site, delta] of Object.entries(deltas)) {
      const { data, ...rest } = await engine.download(delta);
      const row = (at: number): number => Math.floor((at * rows) / data.length);
      const next = Float32Array.from(data, (value, at) => replace(value, { site, row: row(at), call }));
      replaced[site] = engine.upload({ ...rest, data: next });
    }
    return { deltas: replaced };
  });
}

/** With every token's slot changed. */
function slotwise(replace: (slot: number, at: { readonly segment: number }) => number): Make {
  return changed(async (found, { engine }, { segments }) => {
    const { data, ...rest } = await engine.download(found.slots);
    const next = Int32Array.from(data, (slot, at) => replace(slot, { segment: segments[at] as number }));
    return { slots: engine.upload({ ...rest, data: next }) };
  });
}

function warning(warnings: readonly string[]): Make {
  return changed(async () => ({ warnings }));
}

/** Each result is worth nothing once the next one is made. */
function detached(setting: AttackSetting): Attack {
  const [attack, nothing] = [right(setting), entrywise(() => 0)(setting)];
  let latest = 0;
  return async (weights, batch, key) => {
    const own = ++latest;
    const found = await attack(weights, batch, key);
    const { deltas } = await nothing(weights, batch, key);
    return {
      ...found,
      get deltas() {
        return own === latest ? found.deltas : deltas;
      },
    };
  };
}

/** Moves one of the model's own tensors. */
function training(setting: AttackSetting): Attack {
  const attack = right(setting);
  return async (weights, batch, key) => {
    const found = await attack(weights, batch, key);
    const parameters = weights.parameters as Record<string, Value>;
    const [name, value] = Object.entries(parameters)[0] as [string, Value];
    const { data, ...rest } = await setting.engine.download(value);
    parameters[name] = setting.engine.upload({
      ...rest,
      data: Float32Array.from(data, (each) => each + 0.01),
    });
    return found;
  };
}

/** Replaces the tokens that it was given, and does not put them back. */
function writing(setting: AttackSetting): Attack {
  const attack = right(setting);
  return async (weights, batch, key) => {
    const found = await attack(weights, batch, key);
    batch.tokens.set(batch.tokens.map((token) => (token + 1) % setting.model.config.vocabularySize));
    return found;
  };
}
