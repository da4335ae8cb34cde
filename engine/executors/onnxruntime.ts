/** @file Runs programs compiled on ONNX Runtime, from and to host memory. Its calls block the thread: run it in a worker. */
import * as ort from 'onnxruntime-node';
import type { Executable, Executor, Leaves } from '../executor.js';
import type { Halving } from '../halve.js';
import type { Meta } from '../program.js';
import type { Value } from '../tensor.js';
import { leafAt } from '../tree.js';
import { halfOf, type Precision } from '../precision.js';
import { compiled, compiledLoop, type Compiled, type Compiling, type Sparing } from './compiled.js';
import { bound, empty, onHost, type Held } from './host-memory.js';
import { createSession, RUNTIME, type SessionOptions } from './session.js';

export interface OnnxRuntimeOptions extends Omit<SessionOptions, 'provider' | 'device'>, Sparing {
  /** In how many bits products and what is made of them are computed: float32 if not given. */
  readonly precision?: Precision;
}

/** The default executor: one session per program and shapes; weights are fed from where they lie, never copied. */
export function onnxruntimeExecutor(options: OnnxRuntimeOptions): Executor {
  const halving = halvingOnCpu(options.precision);
  return hostExecutor('onnxruntime-cpu', { ...options, provider: 'cpu', halving });
}

/** How the provider computes in a precision: it would compute halves as float32 anyway, and leave out the rounding in between. */
export function halvingOnCpu(precision: Precision | undefined): Halving | undefined {
  const type = halfOf(precision);
  return type && { type, products: 'float32', elementwise: false };
}

/** An executor whose values are in host memory, wherever a provider computes. */
export function hostExecutor(name: string, options: SessionOptions & Compiling): Executor {
  const precision = options.halving && { precision: options.halving.type };
  return {
    name,
    ...precision,
    fingerprint: { runtime: RUNTIME, threads: options.threads, ...precision },
    upload: (tensor) => tensor,
    download: (value) => Promise.resolve(onHost(value as Held)),
    compile: (signature) => executable(compiled(signature, options), options),
    compileLoop: async (signature, varies) => {
      const { once, each } = compiledLoop(signature, varies, options);
      return {
        ...(once && { once: await executable(once, options) }),
        each: await executable(each, options),
      };
    },
    dispose: () => Promise.resolve(),
  };
}

async function executable(program: Compiled, options: SessionOptions): Promise<Executable> {
  const session = await createSession(program.model, program.name, options);
  const { name, inputs, outputs, metas, bytes } = program;
  return {
    bytes,
    run: (values, into) => runSession(session, { name, inputs, outputs, metas }, values, into),
    dispose: () => {
      if (options.profile) session.endProfiling();
      return session.release();
    },
  };
}

async function runSession(
  session: ort.InferenceSession,
  { name, inputs, outputs, metas }: Omit<Compiled, 'model' | 'bytes'>,
  values: Leaves<Value>,
  into: Leaves<Value>,
): Promise<Leaves<Value>> {
  const feeds: Record<string, ort.Tensor> = {};
  for (const [path, input] of inputs) feeds[input] = bound(leafAt(values, path, `program ${name}`) as Held);
  const results = new Map<string, Value>();
  const fetches: Record<string, ort.Tensor> = {};
  for (const [path, output] of outputs) {
    const target = (into.get(path) as Held | undefined) ?? empty(metas.get(path) as Meta);
    results.set(path, target);
    fetches[output] = bound(target);
  }
  await session.run(feeds, fetches);
  return results;
}
