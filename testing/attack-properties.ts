/**
 * @file The laws of attack operators as fast-check properties, for an operator of one's own. Any test framework takes them:
 *
 *     for (const { law, check } of attackProperties(myAttack)) test(law, check);
 */
import fc from 'fast-check';
import type { PackedBatch } from '../datasets/index.js';
import { createEngine, onnxruntimeExecutor, type Engine } from '../engine/index.js';
import { complain } from '../foundation/index.js';
import type { Attack, AttackObjective, Model } from '../operators/index.js';
import { radii } from './arbitraries/attacks.js';
import { decided, packed, packedBatches, pairExamples } from './arbitraries/batches.js';
import { tinyModels } from './arbitraries/models.js';
import * as attackLaws from './laws/attack-laws.js';
import type { Ball } from './laws/ball-measures.js';
import type { Bench, Figures } from './laws/law-measures.js';
import { tinyConfig, tinyModel, type Family, type TinyModel } from './tiny-model.js';

/** What an operator is made for. The models have two blocks: sites in `layers.0` and `layers.1`, and `embedding`. */
export interface AttackSetting {
  readonly engine: Engine;
  readonly model: Model;
  readonly epsilon: number;
}

export interface AttackPropertyOptions {
  /** What ε bounds: by default each token's vector, in activation units. */
  readonly ball?: Ball;
  /** What the attack minimizes; default `{ losses: { toward: 1 } }`. */
  readonly objective?: AttackObjective;
  /** Nats by which it lowers that at `epsilon`, on a fixed model and batch; default 0.1 at 0.5. */
  readonly lowers?: { readonly margin: number; readonly epsilon: number };
  /** Families of the models; default `llama`. */
  readonly families?: readonly Family[];
  /** Laws that the operator does not obey, each with the reason. */
  readonly except?: Readonly<Partial<Record<LawName, string>>>;
  /** Cases per law; default 20. */
  readonly runs?: number;
  /** To replay a failure: both as it printed them. fast-check's global seed if not given. */
  readonly seed?: number;
  readonly path?: string;
  /** Default: onnxruntime with one thread, started when the first law is checked. */
  readonly engine?: Engine;
}

/** A law, and what tries it: rejects with the smallest case that breaks it, and the seed that finds it again. */
export interface AttackProperty {
  readonly name: LawName;
  /** The law as a sentence. */
  readonly law: string;
  readonly check: () => Promise<void>;
}

/** What a law is tried on. */
interface Case {
  readonly model: TinyModel;
  readonly batch: PackedBatch;
  readonly epsilon: number;
  readonly parts: number;
}

interface Trial {
  readonly bench: Bench;
  readonly make: attackLaws.MakeAttack;
  readonly epsilon: number;
  readonly parts: number;
  readonly options: AttackPropertyOptions;
}

interface Law {
  readonly law: string;
  readonly holds: (trial: Trial) => Promise<Figures>;
  /** Tried on a fixed model and batch of each family instead of any. */
  readonly fixed?: boolean;
  /** Tried on {@link decided} examples alone: elsewhere the right perturbation can be none, or the rounding's. */
  readonly needsGradient?: boolean;
}

const ROWS = 3;
const VOCABULARY = tinyConfig().vocabularySize;
const LOWERS = { margin: 0.1, epsilon: 0.5 };
const TARGETED: AttackObjective = { losses: { toward: 1 } };
/** So many times ε is out of reach for an operator that does not scale its steps with it. */
const FAR = 1e4;

const LAWS = {
  staysInBall: {
    law: 'no perturbation is longer than ε',
    holds: ({ bench, make, epsilon, options }) => attackLaws.staysInBall(bench, make, epsilon, options.ball),
  },
  zeroOffTheMask: {
    law: 'nothing off the mask is perturbed, padding left or right, and something on it is',
    needsGradient: true,
    holds: ({ bench, make, epsilon }) => attackLaws.zeroOffTheMask(bench, make, epsilon),
  },
  aliveInEveryPart: {
    law: 'every row of every part of a batch is perturbed',
    needsGradient: true,
    holds: ({ bench, make, epsilon, parts }) => attackLaws.aliveInEveryPart(bench, make, epsilon, parts),
  },
  partsLikeWhole: {
    law: 'parts of a batch are attacked like the whole',
    needsGradient: true,
    holds: ({ bench, make, epsilon, parts }) => attackLaws.partsLikeWhole(bench, make, epsilon, parts),
  },
  identityAtZero: {
    law: 'ε = 0 changes nothing, bit for bit',
    holds: ({ bench, make }) => attackLaws.identityAtZero(bench, make),
  },
  changesNoWeight: {
    law: 'no weight changes',
    holds: ({ bench, make, epsilon }) => attackLaws.changesNoWeight(bench, make, epsilon),
  },
  leavesNothingBehind: {
    law: 'nothing stays hooked into the model',
    holds: ({ bench, make, epsilon }) => attackLaws.leavesNothingBehind(bench, make, epsilon),
  },
  repeatsItself: {
    law: 'the same key, weights and batch give the same perturbation, however often',
    holds: ({ bench, make, epsilon }) => attackLaws.repeatsItself(bench, make, epsilon),
  },
  reportsSlack: {
    law: 'an ε that never binds is reported, and only such',
    holds: async ({ bench, make, epsilon, options }) => {
      await attackLaws.reportsSlack(bench, make, epsilon, options.ball);
      return attackLaws.reportsSlack(bench, make, FAR * epsilon, options.ball);
    },
  },
  lowersItsLoss: {
    law: 'the attack lowers its loss by a margin',
    fixed: true,
    holds: ({ bench, make, options: { objective = TARGETED, lowers = LOWERS } }) =>
      attackLaws.lowersItsLoss(bench, objective, make(lowers.epsilon), lowers.margin),
  },
} satisfies Readonly<Record<string, Law>>;

/** Laws that every attack operator obeys, by the names they have in `attackLaws`. */
export type LawName = keyof typeof LAWS;

/**
 * One property for every law that applies.
 * @param make the operator for an engine, a model and a radius; it must take any of those that the options allow.
 * @throws LAW_EXCEPTION where a law is excepted without a reason, or is none.
 */
export function attackProperties(
  make: (setting: AttackSetting) => Attack,
  options: AttackPropertyOptions = {},
): AttackProperty[] {
  const { except = {} } = options;
  for (const [name, reason] of Object.entries(except)) requireReason(name, reason);
  let engine = options.engine;
  const trial = ({ model: { model, weights }, batch, epsilon, parts }: Case): Trial => {
    const running = (engine ??= createEngine(onnxruntimeExecutor({ threads: 1 })));
    return {
      bench: { engine: running, model, weights: weights(running), batch },
      make: (radius) => make({ engine: running, model, epsilon: radius }),
      epsilon,
      parts,
      options,
    };
  };
  return (Object.entries(LAWS) as [LawName, Law][])
    .filter(([name]) => !(name in except))
    .map(([name, { law, holds, fixed = false, needsGradient = false }]) => ({
      name,
      law,
      check: async () => {
        if (fixed) for (const each of fixedCases(options)) await holds(trial(each));
        else
          await fc.assert(
            caseProperty(options, needsGradient, (each) => holds(trial(each))),
            parametersOf(options),
          );
      },
    }));
}

const familiesOf = ({ families = ['llama'] }: AttackPropertyOptions): readonly Family[] => families;

function caseProperty(
  options: AttackPropertyOptions,
  needsGradient: boolean,
  holds: (each: Case) => Promise<unknown>,
) {
  const pairs = pairExamples(VOCABULARY, ROWS);
  const cases: fc.Arbitrary<Case> = fc.record({
    model: tinyModels(familiesOf(options)),
    batch: packedBatches(
      VOCABULARY,
      ROWS,
      needsGradient ? pairs.map((examples) => decided(VOCABULARY, examples)) : pairs,
    ),
    epsilon: radii,
    parts: fc.integer({ min: 2, max: ROWS }),
  });
  return fc.asyncProperty(cases, async (each) => {
    await holds(each);
  });
}

function fixedCases(options: AttackPropertyOptions): Case[] {
  const batch = packed([
    { prompt: [3, 8, 1, 9], adversarial: [5, 6, 7], desired: [9, 10] },
    { prompt: [4, 4, 7], adversarial: [2, 2], desired: [8, 1, 3] },
  ]);
  return familiesOf(options).map((family) => ({ model: tinyModel(family, 3), batch, epsilon: 1, parts: 2 }));
}

function parametersOf({ runs = 20, seed, path }: AttackPropertyOptions): fc.Parameters<[Case]> {
  return {
    numRuns: runs,
    includeErrorInReport: true,
    ...(seed !== undefined && { seed }),
    ...(path !== undefined && { path }),
  };
}

function requireReason(name: string, reason: string): void {
  if (name in LAWS && reason.trim() !== '') return;
  complain({
    code: 'LAW_EXCEPTION',
    owner: 'attackProperties',
    expected: `a reason for each law among ${Object.keys(LAWS).join(', ')} that is excepted`,
    got: name in LAWS ? `none for ${name}` : name,
    hint: 'correct the name, or say why the operator need not obey the law',
  });
}
