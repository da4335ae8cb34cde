/**
 * @file Trains weights to behave under a perturbation (Sheshadri et al. 2024, arXiv 2407.15549): toward the desired
 * completion and away from the adversarial one under δ, plain losses on benign rows without it. Without
 * perturbations it is ordinary training. Knows nothing about how a perturbation was found.
 */
import {
  adamwScalars,
  scheduleFactor,
  type Engine,
  type HostTensor,
  type Value,
} from '../../engine/index.js';
import { coefficientsOf, type Coefficients, type DefendConfig } from '../config.js';
import { DEFENCE_LOSSES, KL_GUARD, type DefenceLoss, type PartArgs } from './losses.js';
import { divergence } from './base.js';
import type { DefencePlan, SplitWeights } from './plan.js';
import { stateMismatch } from './errors.js';
import { readUpdate } from './figures.js';
import { referencePasses, updatePasses } from './passes.js';
import { preparePart } from './part.js';
import {
  accumulateGradients,
  applyGradients,
  defendAtOnce,
  type AtOnceFixed,
  type AtOnceResult,
  type AtOnceVarying,
  type TrainedState,
  type UpdateArgs,
} from './program.js';
import { LossScale, scaledUpdate, type Scale, type ScaledUpdate } from './loss-scale.js';
import type { Defender, DefenderOptions, DefenderState, DefendTrace } from './defender.js';
import type { Model, ModelWeights } from '../model.js';
import { allPasses } from '../passes.js';
import { StateBuffers, type PerSite } from '../perturbation.js';
import { uploadScalars } from '../scalars.js';
import { CONTROL_NORM, controlVector } from '../objectives/steering.js';
import { steeringLayer } from './steering-layer.js';
import { trainable } from './trainable.js';

export type { Defender, DefenderOptions, DefenderState, DefendTrace } from './defender.js';

/**
 * A defender on weights as they are. These also are, without adapters, the base model that losses compare with.
 * @throws LOSS_UNKNOWN, LOSS_NONE, TRAIN_LAYER_UNKNOWN, TRAIN_MODULE_UNKNOWN, TRAIN_UNREACHED, LOSS_LAYER
 */
export function createDefender(
  engine: Engine,
  model: Model,
  config: DefendConfig,
  options: DefenderOptions,
): Defender {
  const { losses, normalizeCoefficients, objectives, train } = config;
  const coefficients = coefficientsOf('defend', { ...losses }, DEFENCE_LOSSES, normalizeCoefficients);
  const { weights, plan } = trainable(engine, model, train, options.weights, options.seed);
  const names = [...coefficients.keys()];
  const layer = steeringLayer(model, names, objectives, Object.keys(weights.trained));
  const control = controlVector(model.config.width, objectives?.rmu?.norm ?? CONTROL_NORM, options.seed);
  const what = { weights, plan: { ...plan, layer } };
  return new BufferedDefender(engine, config, what, { ...options, coefficients, control });
}

type State = TrainedState<Value>;

class BufferedDefender implements Defender {
  updates = 0;
  readonly model: Model;
  private readonly buffers: StateBuffers;
  private readonly names: readonly DefenceLoss[];
  /** Never among the targets of the next update. */
  private state: State;
  private targets: [State, State] | undefined;
  private leftover: PerSite<Value> = {};
  private readonly scale: LossScale | undefined;
  private sums: [PerSite<Value>, PerSite<Value>] | undefined;

  constructor(
    private readonly engine: Engine,
    private readonly config: DefendConfig,
    private readonly what: { readonly plan: DefencePlan; readonly weights: SplitWeights<Value> },
    private readonly options: DefenderOptions & {
      readonly coefficients: Coefficients<DefenceLoss>;
      /** What `rmu` steers to, [D]. */
      readonly control: HostTensor;
    },
  ) {
    this.model = what.plan.model;
    this.buffers = new StateBuffers(engine);
    this.scale = engine.lossScale && new LossScale(engine.lossScale);
    this.names = [...options.coefficients.keys()];
    this.state = { trained: what.weights.trained, first: this.zeros(), second: this.zeros() };
  }

  weights(): ModelWeights {
    return this.what.plan.join({ trained: this.state.trained, frozen: this.what.weights.frozen });
  }

  base(): PerSite<Value> {
    return this.what.plan.join(this.what.weights).parameters;
  }

  async step(...[parts, settings]: Parameters<Defender['step']>): Promise<readonly DefendTrace[]> {
    const { engine, names, config } = this;
    const { plan } = this.what;
    const base = this.base();
    const ready: PartArgs<Value>[] = [];
    for (const part of parts)
      ready.push(await preparePart(engine, plan, names, part, base, this.options.control, config.objectives));
    if (this.config.reinitialize) this.state = { ...this.state, first: this.zeros(), second: this.zeros() };
    this.leftover = parts.length === 1 ? (parts[0]?.leftover ?? {}) : {};
    const update = ready.length === 1 ? this.atOnce(ready[0] as PartArgs<Value>) : this.inParts(ready);
    const [once, each] = [referencePasses(this.names, parts), updatePasses(this.names, parts)];
    const trace: DefendTrace[] = [];
    for (let iteration = 0; iteration < this.config.iterations; iteration++) {
      const age = config.reinitialize ? iteration : this.updates;
      const { attempts, ...updated } = await this.update(update, age, settings?.learningRate);
      const passes = allPasses(Array.from({ length: attempts }, () => each));
      trace.push({ ...updated, passes: iteration === 0 ? allPasses([once, passes]) : passes });
    }
    return trace;
  }

  async save(): Promise<DefenderState> {
    const tensors: Record<string, HostTensor> = {};
    for (const [group, values] of Object.entries(this.state))
      for (const [name, value] of Object.entries(values))
        tensors[`${group}/${name}`] = await this.engine.download(value);
    return { updates: this.updates, tensors: { ...tensors, ...this.scale?.save() } };
  }

  restore(saved: DefenderState): void {
    const group = (kind: keyof State): PerSite<Value> =>
      Object.fromEntries(
        Object.entries(this.state[kind]).map(([name, { shape }]) => {
          const tensor = saved.tensors[`${kind}/${name}`];
          if (!tensor || tensor.shape.join() !== shape.join())
            return stateMismatch(`${kind}/${name}`, shape, tensor?.shape);
          return [name, this.engine.upload(tensor)];
        }),
      );
    this.state = { trained: group('trained'), first: group('first'), second: group('second') };
    this.updates = saved.updates;
    this.scale?.restore(saved.tensors);
  }

  /** One update; the state changes only when its figures are finite. */
  private async update(update: Update, age: number, rate = this.config.learningRate): Promise<Updated> {
    const factor = scheduleFactor(this.updates, this.options.updates, this.config.schedule);
    const learningRate = rate * factor;
    const optimizer = {
      ...this.state,
      adam: uploadScalars(this.engine, adamwScalars(age + 1, { ...this.config, learningRate })),
      ...uploadScalars(this.engine, { clipNorm: this.config.clipNorm }),
    };
    this.targets ??= [this.fresh(), this.fresh()];
    const [target, other] = this.targets;
    const { engine, scale } = this;
    const { figures, leftover, ...scaled } = await scaledUpdate(engine, scale, update, optimizer, target);
    const read = readUpdate(figures, this.options.coefficients, this.updates);
    this.state = target;
    this.targets = [other, target];
    if (leftover) this.leftover = leftover;
    return { update: this.updates++, ...read, learningRate, ...scaled };
  }

  /** Updates on a batch that is not split, in one loop: what stays the same between them is computed once. */
  private atOnce(part: PartArgs<Value>): Update {
    const coefficients = uploadScalars(this.engine, Object.fromEntries(this.options.coefficients));
    const loop = this.engine.loop<AtOnceFixed, AtOnceVarying, AtOnceResult>(
      defendAtOnce(this.what.plan, this.names),
      { frozen: this.what.weights.frozen, part, coefficients },
    );
    return async (optimizer, target, scale) => {
      const given = { ...optimizer, ...scale, leftover: this.leftover };
      const { figures, leftover } = await loop.run(given, target);
      const found = [...(await this.engine.download(figures)).data];
      // An empty tree has no leaves to come back.
      return { figures: found, ...(Object.keys(this.leftover).length > 0 && { leftover }) };
    };
  }

  private inParts(parts: readonly PartArgs<Value>[]): Update {
    return async (optimizer, target, scale) => ({
      figures: await this.updateInParts(parts, optimizer, target, scale),
    });
  }

  private async updateInParts(
    parts: readonly PartArgs<Value>[],
    optimizer: Optimizer,
    target: State,
    scale: Scale,
  ): Promise<number[]> {
    const weights = { trained: this.state.trained, frozen: this.what.weights.frozen };
    const coefficients = uploadScalars(this.engine, await this.coefficientsFor(parts));
    const definition = accumulateGradients(this.what.plan, this.names);
    const totals = this.names.map(() => 0);
    this.sums ??= [this.taken(), this.taken()];
    let [next, spare] = this.sums;
    let sums: PerSite<Value> = this.zeros();
    for (const part of parts) {
      const { figures } = await this.engine.run(
        definition,
        { ...weights, ...scale, part, coefficients, sums },
        { sums: next },
      );
      (await this.engine.download(figures)).data.forEach((value, at) => ((totals[at] as number) += value));
      [sums, next, spare] = [next, spare, next];
    }
    const { figures } = await this.engine.run(applyGradients(this.what.plan), { ...optimizer, sums }, target);
    return [...totals, ...(await this.engine.download(figures)).data];
  }

  /** The kl term is divided by its value on the whole batch, so that is found first where the batch has parts. */
  private async coefficientsFor(parts: readonly PartArgs<Value>[]): Promise<Record<string, number>> {
    const given = Object.fromEntries(this.options.coefficients);
    if (!this.names.includes('kl')) return given;
    let total = 0;
    for (const part of parts) {
      const weights = { trained: this.state.trained, frozen: this.what.weights.frozen };
      const value = (await this.engine.run(divergence(this.what.plan), { ...weights, part })) as Value;
      total += (await this.engine.download(value)).data[0] as number;
    }
    return { ...given, kl: (given['kl'] ?? 0) / (total + KL_GUARD) };
  }

  private zeros(): PerSite<Value> {
    return mapValues(this.what.weights.trained, ({ shape }) => this.buffers.zeros(shape));
  }

  /** Memory to write trained tensors, or what has their shapes, to. */
  private taken(): PerSite<Value> {
    return mapValues(this.what.weights.trained, ({ shape }) => this.buffers.take(shape));
  }

  private fresh(): State {
    return { trained: this.taken(), first: this.taken(), second: this.taken() };
  }
}

/** Arguments of an update besides gradients. */
type Optimizer = UpdateArgs<Value>;
type Update = ScaledUpdate<Optimizer, State>;
type Updated = Omit<DefendTrace, 'passes'> & { readonly attempts: number };

function mapValues<T, U>(record: Readonly<Record<string, T>>, change: (value: T) => U): Record<string, U> {
  return Object.fromEntries(Object.entries(record).map(([name, value]) => [name, change(value)]));
}
