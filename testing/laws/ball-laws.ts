/** @file Laws about the ball that a perturbation stays in; like those in `attack-laws.ts`, which hands them on. */
import {
  float32,
  type Definition,
  type Engine,
  type HostTensor,
  type Tensor,
  type Value,
} from '../../engine/index.js';
import type { Attack, AttackKey } from '../../operators/index.js';
import { ballNorms, type Ball } from './ball-measures.js';
import { difference, holds, type Bench, type Figures } from './law-measures.js';

/** An attack operator made for a radius. */
export type MakeAttack = (epsilon: number) => Attack;

/** The key that operators are tried with. */
export const LAW_KEY: AttackKey = { step: 1, seed: 1 };

/**
 * No perturbation is longer than ε at any site, as it arrives in the model: a token's, in activation units, unless the
 * operator declares another ball.
 * @param tolerance relative; float32 rounding of a norm.
 */
export async function staysInBall(
  bench: Bench,
  make: MakeAttack,
  epsilon: number,
  ball: Ball = {},
  tolerance = 1e-5,
): Promise<Figures> {
  const found = await make(epsilon)(bench.weights, bench.batch, LAW_KEY);
  const { norms, outside } = await ballNorms(bench, found.deltas, ball);
  const largest = Math.max(...Object.values(norms).flat());
  const condition = largest <= epsilon * (1 + tolerance) && outside <= 1e-4;
  return holds('every perturbation stays within ε', condition, { largest, epsilon, outside });
}

/** Every perturbation at every site is exactly as long as ε asks: what noise must be, to be a control. */
export async function fillsBall(
  bench: Bench,
  make: MakeAttack,
  epsilon: number,
  ball: Ball = {},
  tolerance = 1e-5,
): Promise<Figures> {
  const found = await make(epsilon)(bench.weights, bench.batch, LAW_KEY);
  const { norms } = await ballNorms(bench, found.deltas, ball);
  const all = Object.values(norms).flat();
  const [smallest, largest] = [Math.min(...all), Math.max(...all)];
  const condition = smallest >= epsilon * (1 - tolerance) && largest <= epsilon * (1 + tolerance);
  return holds('every perturbation is as long as ε', condition, { smallest, largest, epsilon });
}

/** Projecting twice is projecting once. @param project as a program writes it: δ [B, P, D] and ε, a scalar. */
export async function projectsOnce(
  engine: Engine,
  project: (delta: Tensor, epsilon: Tensor) => Tensor,
  delta: HostTensor,
  epsilon: number,
  tolerance = 1e-6,
): Promise<Figures> {
  const definition: Definition<{ delta: Tensor; epsilon: Tensor }> = {
    name: `law-projection:${project.toString()}`,
    compute: (args) => ({
      once: project(args.delta, args.epsilon),
      twice: project(project(args.delta, args.epsilon), args.epsilon),
    }),
  };
  const { once, twice } = (await engine.run(definition, {
    delta: engine.upload(delta),
    epsilon: engine.upload(float32([], [epsilon])),
  })) as unknown as Record<'once' | 'twice', Value>;
  const change = difference((await engine.download(once)).data, (await engine.download(twice)).data);
  return holds('projection is idempotent', change <= epsilon * tolerance, { change, epsilon });
}
