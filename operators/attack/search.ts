/**
 * @file One search of an attack: iterations from a start, in one loop of the engine and two sets of buffers. Knows nothing
 * about restarts, or what becomes of the parameters.
 */
import type { PackedBatch } from '../../datasets/index.js';
import { firstScale, shrunk, type Engine, type Value } from '../../engine/index.js';
import { complain } from '../../foundation/index.js';
import {
  attackIteration,
  readFigures,
  readReach,
  type AttackFixed,
  type AttackResult,
  type AttackVarying,
} from './iteration.js';
import type { AttackPlan } from './plan.js';
import { lowRankStart, randomStart, type StartKey } from './start.js';
import { stepScalars, type StepScalars } from './step.js';
import type { AttackConfig } from '../config.js';
import type { Model } from '../model.js';
import { StateBuffers, type AttackTrace, type PerturbationState } from '../perturbation.js';
import { uploadScalars } from '../scalars.js';

/** Shapes of batches whose buffers are kept between attacks. */
const KEPT_BATCHES = 8;

type Shapes = Readonly<Record<string, readonly number[]>>;
type Values = Readonly<Record<string, Value>>;

/** What a search ended with. */
export interface Searched {
  readonly parameters: Values;
  readonly trace: readonly AttackTrace[];
  /** Of the last iteration, where they are kept. */
  readonly gradients: Values;
  /** Gives the parameters' memory back. */
  readonly release: () => void;
}

/** A search on one batch from the start with this key; those of one batch share what does not change between them. */
export type Search = (key: StartKey) => Promise<Searched>;

/** Searches of one attack, batch by batch. */
export class Searcher {
  private readonly definition;
  private readonly buffers: StateBuffers;

  constructor(
    private readonly engine: Engine,
    model: Model,
    private readonly config: AttackConfig,
    private readonly plan: AttackPlan,
    /** Different shapes among the parameters of one batch. */
    shapes: number,
    keepGradients: boolean,
  ) {
    this.definition = attackIteration(model, plan, keepGradients);
    this.buffers = new StateBuffers(engine, KEPT_BATCHES * shapes);
  }

  /** @param shapes of the parameters, by name. */
  on(batch: PackedBatch, fixed: AttackFixed<Value>, shapes: Shapes): Search {
    const { engine, buffers, config, plan } = this;
    const loop = engine.loop<AttackFixed, AttackVarying, AttackResult>(this.definition, fixed);
    const moments = plan.step === 'adamw' ? shapes : {};
    const take = (): PerturbationState => ({
      parameters: buffers.takeAll(shapes),
      m: buffers.takeAll(moments),
      v: buffers.takeAll(moments),
    });
    return async (key) => {
      const iterations = config.search === 'noise' ? 0 : config.iterations;
      // The state is read from one set of buffers and written to the other: a program never writes over its arguments.
      let [spare, next] = [take(), take()];
      let state = this.start(batch, shapes, moments, key);
      let gradients: Values = {};
      const trace: AttackTrace[] = [];
      let scale = engine.lossScale && firstScale(engine.lossScale);
      for (let iteration = 0; iteration < iterations; iteration++) {
        const scalars = uploadScalars<string>(
          engine,
          stepScalars(iteration + 1, config),
        ) as StepScalars<Value>;
        const scaled = scale && uploadScalars(engine, { scale: scale.scale });
        const result = await loop.run({ state, scalars, ...scaled }, { state: next });
        const { data } = await engine.download(result.figures);
        const smaller = scale && !Number.isFinite(readReach(data)) ? shrunk(scale) : undefined;
        if (smaller) {
          // Too large for 16 bits, not for the mathematics: the same iteration once more.
          scale = smaller;
          iteration--;
          continue;
        }
        trace.push(finite(readFigures(data, iteration, plan), readReach(data)));
        gradients = result.gradients;
        [state, spare, next] = [next, next, spare];
      }
      this.giveBack([next, { m: spare.m, v: spare.v }]);
      return {
        parameters: state.parameters,
        trace,
        gradients,
        release: once(() => this.giveBack([{ parameters: spare.parameters }])),
      };
    };
  }

  private start(batch: PackedBatch, shapes: Shapes, moments: Shapes, key: StartKey): PerturbationState {
    const { config, plan, buffers } = this;
    const blank = (of: Shapes): Values =>
      Object.fromEntries(Object.entries(of).map(([name, shape]) => [name, buffers.zeros(shape)]));
    const noise = config.search === 'noise';
    const random = noise || key.restart > 0 || config.start === 'random';
    const drawn = random
      ? randomStart(plan.adversary, shapes, batch, config.epsilon, key, noise)
      : lowRankStart(plan.adversary, shapes, batch, key);
    const parameters: Values = Object.fromEntries(
      Object.entries(drawn).map(([name, tensor]) => [name, this.engine.upload(tensor)]),
    );
    const zeros = blank(moments);
    return { parameters: { ...blank(shapes), ...parameters }, m: zeros, v: zeros };
  }

  private giveBack(states: readonly Partial<PerturbationState>[]): void {
    for (const state of states) for (const values of Object.values(state)) this.buffers.giveAll(values);
  }
}

function once(action: () => void): () => void {
  let done = false;
  return () => {
    if (!done) action();
    done = true;
  };
}

/**
 * The entry of a trace, if its numbers are.
 * @param reach of the perturbation before its projection, which would hide that it left float32.
 * @throws LOSS_NOT_FINITE
 */
export function finite(trace: AttackTrace, reach: number): AttackTrace {
  if (Number.isFinite(trace.loss) && Number.isFinite(reach)) return trace;
  return complain({
    code: 'LOSS_NOT_FINITE',
    owner: `attack, iteration ${trace.iteration}`,
    expected: 'a finite loss, and a perturbation of finite norm before its projection',
    got: `loss ${trace.loss}, norm ${reach}`,
    hint: 'lower the learning rate, or go back to a checkpoint from before the weights diverged',
  });
}
