/** @file An attack operator as a user would write it, on the package's public surface alone: one step along the sign. */
import {
  ATTACK_AIMS,
  feedOf,
  float32,
  ops,
  pairLosses,
  programName,
  siteWidth,
  valueAndGradients,
  type Attack,
  type BatchTensors,
  type Definition,
  type ModelWeights,
  type Tensor,
  type Value,
} from 'latstream';
import type { AttackSetting } from 'latstream/testing';

type Deltas<T> = Readonly<Record<string, T>>;
type Args = {
  readonly weights: ModelWeights<Tensor>;
  readonly batch: BatchTensors;
  readonly zeros: Deltas<Tensor>;
  readonly epsilon: Tensor;
};

const SITES = ['embedding', 'layers.1.mlp'];

/** δ = −ε·sign(∂loss/∂δ), scaled to length ε token by token. */
export function signAttack({ engine, model, epsilon }: AttackSetting): Attack {
  const definition: Definition<Args, Deltas<Tensor>> = {
    name: programName('sign-attack', model, SITES),
    compute: (args) => {
      const { gradients } = valueAndGradients((deltas) => {
        const { toward } = pairLosses(model, args.weights, args.batch, deltas, ATTACK_AIMS, ['toward']);
        return { loss: toward as Tensor, aux: {} };
      }, args.zeros);
      const step = (gradient: Tensor): Tensor => {
        const sign_BPD = ops.neg(ops.sign(gradient));
        const norm_BP1 = ops.sqrt(ops.sum(ops.square(sign_BPD), -1, true));
        return ops.mul(ops.div(sign_BPD, ops.maximum(norm_BP1, 1)), args.epsilon);
      };
      return Object.fromEntries(SITES.map((site) => [site, step(gradients[site] as Tensor)]));
    },
  };
  return async (weights, packed) => {
    const batch = feedOf(engine, packed);
    const zeros = Object.fromEntries(
      SITES.map((site): [string, Value] => {
        const shape = [packed.rows, packed.slotCount, siteWidth(model.config, site)];
        return [site, engine.upload(float32(shape))];
      }),
    );
    const deltas = await engine.run(definition, {
      weights,
      batch,
      zeros,
      epsilon: engine.upload(float32([], [epsilon])),
    });
    return { deltas, slots: batch.slots, trace: [], warnings: [], release: () => undefined };
  };
}
