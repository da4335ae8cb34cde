/** @file Runs programs traced and compiled on ONNX Runtime's CPU provider. Its calls block the thread: run it in a worker. */
import * as ort from 'onnxruntime-node';
import type { Executable, ExecutableLoop, Executor, Leaves, Signature } from '../executor.js';
import { hoist } from '../hoist.js';
import { lower } from '../lower.js';
import { peakBytes } from '../lifetimes.js';
import type { Meta, Program } from '../program.js';
import { recompute } from '../recompute.js';
import { rematerialize } from '../rematerialize.js';
import { simplify } from '../simplify.js';
import { float32, int32, type HostTensor, type Value } from '../tensor.js';
import { trace } from '../trace.js';
import { leafAt } from '../tree.js';
import { hasNativeMemory } from './native-memory.js';

export interface OnnxRuntimeOptions {
  /** Threads inside an operation. Results depend on it bit for bit, so it is never guessed. */
  readonly threads: number;
  /** `recompute` computes blocks anew in backward passes instead of holding what they computed: by default `keep`. */
  readonly activations?: 'keep' | 'recompute';
  /** Where the runtime's own profile of a program is written, as the beginning of a path; complete when that is disposed. */
  readonly profile?: (program: string) => string;
}

/** The default executor: one session per program and shapes; weights are fed from where they lie, never copied. */
export function onnxruntimeExecutor(options: OnnxRuntimeOptions): Executor {
  const { threads } = options;
  return {
    name: 'onnxruntime-cpu',
    fingerprint: { runtime: `onnxruntime ${ort.env.versions.node ?? ort.env.versions.common}`, threads },
    upload: (tensor) => tensor,
    download: (value) => Promise.resolve(value as HostTensor),
    compile: (signature) => compile(simplify(trace(signature)), options),
    compileLoop: (signature, varies) => compileLoop(signature, varies, options),
    dispose: () => Promise.resolve(),
  };
}

const NATIVE_HEAP = hasNativeMemory();

/** Programs that hold less at once, in bytes, are compiled as they are: saving memory there would only cost time. */
const WORTH_SAVING = 2 ** 26;

async function compileLoop(
  signature: Signature,
  varies: (path: string) => boolean,
  options: OnnxRuntimeOptions,
): Promise<ExecutableLoop> {
  const { once, each } = hoist(simplify(trace(signature)), varies);
  return { ...(once && { once: await compile(once, options) }), each: await compile(each, options) };
}

/** A simplified program as it is lowered: within a bounded memory where that is asked for, or worth its time. */
export function spared(
  simplified: Program,
  { activations }: Pick<OnnxRuntimeOptions, 'activations'>,
): Program {
  const whole = activations === 'recompute' ? recompute(simplified) : simplified;
  return peakBytes(whole) > WORTH_SAVING ? rematerialize(whole) : whole;
}

async function compile(simplified: Program, options: OnnxRuntimeOptions): Promise<Executable> {
  const program = spared(simplified, options);
  const { model, inputs, outputs } = lower(program);
  const session = await createSession(model, program.name, options);
  const metas = new Map([...program.outputs].map(([path, id]) => [path, program.nodes[id] as Meta]));
  return {
    bytes: peakBytes(program) + model.byteLength,
    run: (values, into) => runSession(program.name, session, { inputs, outputs, metas }, values, into),
    dispose: () => {
      if (options.profile) session.endProfiling();
      return session.release();
    },
  };
}

/** The runtime's session of a lowered program. */
export function createSession(
  model: Uint8Array,
  name: string,
  { threads, profile }: OnnxRuntimeOptions,
): Promise<ort.InferenceSession> {
  return ort.InferenceSession.create(model, {
    executionProviders: ['cpu'],
    intraOpNumThreads: threads,
    interOpNumThreads: 1,
    graphOptimizationLevel: 'all',
    // The planned pattern reserves what all results of a run need together: 590 MB more, no faster (docs/log.md).
    enableMemPattern: false,
    // An arena holds, for this session alone, up to 1.6 times what it needs; the C library's heap is as fast only where it keeps its memory.
    enableCpuMemArena: !NATIVE_HEAP,
    // It would undo what is computed twice on purpose.
    extra: { optimization: { disable_specified_optimizers: 'CommonSubexpressionElimination' } },
    ...(profile && { enableProfiling: true, profileFilePrefix: profile(name) }),
  });
}

interface Binding {
  readonly inputs: ReadonlyMap<string, string>;
  readonly outputs: ReadonlyMap<string, string>;
  readonly metas: ReadonlyMap<string, Meta>;
}

async function runSession(
  name: string,
  session: ort.InferenceSession,
  binding: Binding,
  values: Leaves<Value>,
  into: Leaves<Value>,
): Promise<Leaves<Value>> {
  const feeds: Record<string, ort.Tensor> = {};
  for (const [path, input] of binding.inputs)
    feeds[input] = bound(leafAt(values, path, `program ${name}`) as HostTensor);
  const results = new Map<string, Value>();
  const fetches: Record<string, ort.Tensor> = {};
  for (const [path, output] of binding.outputs) {
    const target = (into.get(path) as HostTensor | undefined) ?? empty(binding.metas.get(path) as Meta);
    results.set(path, target);
    fetches[output] = bound(target);
  }
  await session.run(feeds, fetches);
  return results;
}

/** The runtime's view of host memory; nothing is copied. */
function bound({ dtype, data, shape }: HostTensor): ort.Tensor {
  return dtype === 'float32'
    ? new ort.Tensor('float32', data as Float32Array, shape)
    : new ort.Tensor('int32', data as Int32Array, shape);
}

function empty({ dtype, shape }: Meta): HostTensor {
  return dtype === 'float32' ? float32(shape) : int32(shape);
}
