/** @file Runs definitions on an executor: one compilation per definition and shapes, least recently used evicted by bytes. */
import { complain } from '../foundation/index.js';
import type { Definition, Executable, Executor, Leaves, Signature, ValuesOf } from './executor.js';
import { LOSS_SCALING, type LossScaling } from './loss-scale.js';
import { LoopBody } from './loop.js';
import type { Tensor } from './ops.js';
import { halfOf, type Precision } from './precision.js';
import { isValue, narrowed, type HalfTensor, type HostTensor, type Value } from './tensor.js';
import { flatten, unflatten, type Tree } from './tree.js';

/** Counters of the compile cache. */
export interface EngineStats {
  readonly compilations: number;
  readonly hits: number;
  readonly evictions: number;
  /** Executables alive, and the bytes that they are estimated to hold. */
  readonly live: number;
  readonly bytes: number;
}

/** Runs {@link Definition}s. One at a time: a run starts when the one before has ended. */
export interface Engine {
  readonly executor: Executor;
  /** What losses are multiplied with before they are differentiated; undefined where that is not needed. */
  readonly lossScale?: LossScaling | undefined;
  /** Host data as a value of the executor; 16-bit floats stay such, and are float32 to programs. */
  upload(tensor: HostTensor | HalfTensor): Value;
  /** Frozen weights by name, in the bits that this engine keeps them in: matrices may be halves, vectors are as given. */
  uploadWeights(tensors: Readonly<Record<string, HostTensor | HalfTensor>>): Record<string, Value>;
  /** A copy of a value's data on the host. */
  download(value: Value): Promise<HostTensor>;
  /**
   * Runs a definition; compiles it first where these shapes are new.
   * @param into values to write results to (same tree as the result, or part of it), none of them among `args`.
   * @throws ENGINE_ALIAS where a result would overwrite an argument.
   */
  run<A extends Tree<Tensor>, R extends Tree<Tensor>>(
    definition: Definition<A, R>,
    args: ValuesOf<A>,
    into?: Tree<Value>,
  ): Promise<ValuesOf<R>>;
  /**
   * A definition that is run again and again with most of its arguments fixed: what depends on those alone is computed
   * once, at the first run. Their values must not change until the last one.
   * @param fixed the arguments that every run shares; each run brings the others.
   */
  loop<F extends Tree<Tensor>, V extends Tree<Tensor>, R extends Tree<Tensor>>(
    definition: Definition<F & V, R>,
    fixed: ValuesOf<F>,
  ): Loop<V, R>;
  stats(): EngineStats;
  /** Releases every executable and the executor. */
  dispose(): Promise<void>;
}

/** A loop in progress: see {@link Engine.loop}. */
export interface Loop<V extends Tree<Tensor>, R extends Tree<Tensor>> {
  /** @param into as for {@link Engine.run}. @throws ENGINE_ALIAS */
  run(varying: ValuesOf<V>, into?: Tree<Value>): Promise<ValuesOf<R>>;
}

/**
 * An engine on an executor.
 * @param options as {@link EngineOptions} says.
 */
export function createEngine(executor: Executor, options: EngineOptions = {}): Engine {
  return new CachingEngine(executor, options);
}

export interface EngineOptions {
  /** Executables that together hold more are evicted, least recently used first: 4 GiB if not given. */
  readonly cacheBytes?: number;
  /** Called before every run of a program. */
  readonly beforeRun?: () => void;
  /** What frozen matrices are kept in: float32 if not given. */
  readonly weights?: Precision;
  /** If not given: {@link LOSS_SCALING} where the executor computes in float16, whose small numbers are few; else none. */
  readonly lossScale?: LossScaling;
}

const CACHE_BYTES = 4 * 2 ** 30;

class CachingEngine implements Engine {
  /** In order of use, oldest first. */
  private readonly cache = new Map<string, Executable>();
  private compilations = 0;
  private hits = 0;
  private evictions = 0;
  private queue: Promise<unknown> = Promise.resolve();
  readonly lossScale: LossScaling | undefined;

  constructor(
    readonly executor: Executor,
    private readonly options: EngineOptions,
  ) {
    this.lossScale = options.lossScale ?? (executor.precision === 'float16' ? LOSS_SCALING : undefined);
  }

  upload(tensor: HostTensor | HalfTensor): Value {
    return this.executor.upload(tensor);
  }

  uploadWeights(tensors: Readonly<Record<string, HostTensor | HalfTensor>>): Record<string, Value> {
    const half = halfOf(this.options.weights);
    const kept = (tensor: HostTensor | HalfTensor): HostTensor | HalfTensor =>
      half && tensor.dtype === 'float32' && tensor.shape.length > 1 ? narrowed(tensor, half) : tensor;
    return Object.fromEntries(
      Object.entries(tensors).map(([name, tensor]) => [name, this.upload(kept(tensor))]),
    );
  }

  async download(value: Value): Promise<HostTensor> {
    const host = await this.executor.download(value);
    return { ...host, data: host.data.slice() };
  }

  run<A extends Tree<Tensor>, R extends Tree<Tensor>>(
    definition: Definition<A, R>,
    args: ValuesOf<A>,
    into: Tree<Value> = {},
  ): Promise<ValuesOf<R>> {
    const inputs = flatten<Value>(args, isValue);
    return this.inTurn(definition.name, inputs, into, async (targets) => {
      const signature = { ...definition, args } as unknown as Signature;
      const executable = await this.compiled(signature.name, inputs, () => this.executor.compile(signature));
      return executable.run(inputs, targets);
    }) as Promise<ValuesOf<R>>;
  }

  loop<F extends Tree<Tensor>, V extends Tree<Tensor>, R extends Tree<Tensor>>(
    definition: Definition<F & V, R>,
    fixed: ValuesOf<F>,
  ): Loop<V, R> {
    const owner = {};
    return {
      run: (varying, into = {}) => {
        const args = { ...(fixed as object), ...(varying as object) };
        const inputs = flatten<Value>(args, isValue);
        const changing = new Set(flatten<Value>(varying, isValue).keys());
        return this.inTurn(definition.name, inputs, into, async (targets) => {
          const signature = { ...definition, args } as unknown as Signature;
          const body = await this.compiled(`loop ${signature.name}`, inputs, async () => {
            return new LoopBody(await this.executor.compileLoop(signature, (path) => changing.has(path)));
          });
          return body.runFor(owner, inputs, targets);
        }) as Promise<ValuesOf<R>>;
      },
    };
  }

  stats(): EngineStats {
    return {
      compilations: this.compilations,
      hits: this.hits,
      evictions: this.evictions,
      live: this.cache.size,
      bytes: this.heldBytes(),
    };
  }

  async dispose(): Promise<void> {
    await this.queue;
    for (const executable of this.cache.values()) await executable.dispose();
    this.cache.clear();
    await this.executor.dispose();
  }

  /** Checks and runs when the run before has ended. */
  private inTurn(
    name: string,
    inputs: Leaves<Value>,
    into: Tree<Value>,
    run: (targets: Leaves<Value>) => Promise<Leaves<Value>>,
  ): Promise<Tree<Value>> {
    const turn = this.queue.then(async () => {
      const targets = flatten(into, isValue);
      refuseAliases(name, inputs, targets);
      this.options.beforeRun?.();
      return unflatten(await run(targets));
    });
    this.queue = turn.catch(() => undefined);
    return turn;
  }

  private async compiled<E extends Executable>(
    name: string,
    inputs: Leaves<Value>,
    compile: () => Promise<E>,
  ): Promise<E> {
    const key = cacheKey(name, inputs);
    const known = this.cache.get(key);
    if (known) {
      this.hits++;
      this.cache.delete(key);
      this.cache.set(key, known);
      return known as E;
    }
    const fresh = await compile();
    this.compilations++;
    this.cache.set(key, fresh);
    await this.evict();
    return fresh;
  }

  private async evict(): Promise<void> {
    for (const [key, executable] of this.cache) {
      if (this.heldBytes() <= (this.options.cacheBytes ?? CACHE_BYTES) || this.cache.size === 1) return;
      this.cache.delete(key);
      this.evictions++;
      await executable.dispose();
    }
  }

  private heldBytes(): number {
    return [...this.cache.values()].reduce((sum, executable) => sum + executable.bytes, 0);
  }
}

function cacheKey(name: string, inputs: Leaves<Value>): string {
  return [
    name,
    ...[...inputs].map(([path, value]) => `${path}:${value.dtype}[${value.shape.join(',')}]`),
  ].join(' ');
}

function refuseAliases(name: string, inputs: Leaves<Value>, targets: Leaves<Value>): void {
  const read = new Set(inputs.values());
  for (const [path, target] of targets) {
    if (read.has(target))
      complain({
        code: 'ENGINE_ALIAS',
        owner: `program ${name}`,
        expected: `output ${path} in memory of its own`,
        got: 'one of the arguments',
        hint: 'keep two buffers and swap them after the run',
      });
  }
}
