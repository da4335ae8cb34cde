/**
 * @file Runs programs compiled on ONNX Runtime's WebGPU provider (Vulkan, Metal, D3D12): values stay on the device between
 * runs, and every session reads the same ones. Its calls block the thread.
 */
import type * as ort from 'onnxruntime-node';
import type { Executable, Executor, Leaves } from '../executor.js';
import { webgpuLowerings } from '../kernels/index.js';
import { halfOf, type Precision } from '../precision.js';
import { sizeOf, type Value } from '../tensor.js';
import { leafAt } from '../tree.js';
import { collectGarbage } from './collect.js';
import { compiled, compiledLoop, type Compiled, type Sparing } from './compiled.js';
import { DeviceMemory } from './device-memory.js';
import { createSession, RUNTIME, type SessionOptions } from './session.js';

export interface WebGpuOptions extends Omit<SessionOptions, 'provider' | 'device'>, Sparing {
  /** In how many bits products and what is made of them are computed: float32 if not given. */
  readonly precision?: Precision;
}

/** Results of fewer elements (losses, norms) come to the host at once: they are read there. */
const STAYS = 64;

/** The executor on a GPU of any make. */
export function webgpuExecutor(options: WebGpuOptions): Executor {
  // Its own products of halves are summed in halves: 4096 quarters make 512 (docs/accelerators.md).
  const type = halfOf(options.precision);
  const halving = type && { type, products: 'float32' as const, elementwise: true };
  const precision = type && { precision: type };
  const gpu = { ...options, provider: 'webgpu' as const, instead: webgpuLowerings, halving };
  const memory = new DeviceMemory(gpu, collectGarbage);
  return {
    name: 'onnxruntime-webgpu',
    ...precision,
    fingerprint: { runtime: RUNTIME, ...precision },
    upload: (tensor) => memory.hold(tensor),
    download: (value) => memory.download(value),
    compile: (signature) => executable(compiled(signature, gpu), gpu, memory),
    compileLoop: async (signature, varies) => {
      const { once, each } = compiledLoop(signature, varies, gpu);
      return {
        ...(once && { once: await executable(once, gpu, memory) }),
        each: await executable(each, gpu, memory),
      };
    },
    dispose: () => memory.dispose(),
  };
}

async function executable(
  program: Compiled,
  options: SessionOptions,
  memory: DeviceMemory,
): Promise<Executable> {
  const locations = new Map(
    [...program.outputs].map(([path, name]) => {
      const size = sizeOf(program.metas.get(path)?.shape ?? []);
      return [name, size < STAYS ? ('cpu' as const) : ('gpu-buffer' as const)];
    }),
  );
  const session = await createSession(program.model, program.name, options, Object.fromEntries(locations));
  return {
    bytes: program.bytes,
    run: (values, into) => run(session, program, memory, values, into),
    dispose: () => {
      if (options.profile) session.endProfiling();
      return session.release();
    },
  };
}

async function run(
  session: ort.InferenceSession,
  { name, inputs, outputs }: Compiled,
  memory: DeviceMemory,
  values: Leaves<Value>,
  into: Leaves<Value>,
): Promise<Leaves<Value>> {
  const feeds: Record<string, ort.Tensor> = {};
  for (const [path, input] of inputs)
    feeds[input] = await memory.feed(leafAt(values, path, `program ${name}`));
  const found = await session.run(feeds);
  const results = new Map<string, Value>();
  for (const [path, output] of outputs)
    results.set(path, await memory.keep(found[output] as ort.Tensor, into.get(path)));
  return results;
}
