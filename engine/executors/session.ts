/** @file Sessions of ONNX Runtime: how a lowered program is given to a provider. Knows nothing about values. */
import * as ort from 'onnxruntime-node';
import { ONNX_TYPE } from '../kernels/index.js';
import { OnnxGraph } from '../onnx.js';
import type { HalfType } from '../tensor.js';
import { hasNativeMemory } from './native-memory.js';

/** Where a session computes. */
export type Provider = 'cpu' | 'webgpu' | 'cuda';

export interface SessionOptions {
  /** Threads inside an operation of the CPU. Results depend on it bit for bit, so it is never guessed. */
  readonly threads: number;
  /** By default `cpu`. */
  readonly provider?: Provider;
  /** Which of several CUDA devices: by default the first, 0. */
  readonly device?: number;
  /** Where the runtime's own profile of a program is written, as the beginning of a path; complete when that is disposed. */
  readonly profile?: (program: string) => string;
}

const NATIVE_HEAP = hasNativeMemory();

/**
 * The runtime's session of a serialised model.
 * @param locations by name, which results stay on the device (webgpu only); without it all come to the host.
 */
export function createSession(
  model: Uint8Array,
  name: string,
  { threads, provider = 'cpu', device = 0, profile }: SessionOptions,
  locations?: Readonly<Record<string, 'cpu' | 'gpu-buffer'>>,
): Promise<ort.InferenceSession> {
  // CUDA's libraries read it when they are loaded, which is now: without it products have 10 bits of mantissa.
  if (provider === 'cuda') process.env['NVIDIA_TF32_OVERRIDE'] ??= '0';
  return ort.InferenceSession.create(model, {
    executionProviders: [provider === 'cuda' ? { name: provider, deviceId: device } : provider],
    intraOpNumThreads: threads,
    interOpNumThreads: 1,
    graphOptimizationLevel: 'all',
    // The planned pattern reserves what all results of a run need together: 590 MB more, no faster (docs/log.md).
    enableMemPattern: false,
    // An arena holds, for this session alone, up to 1.6 times what it needs; the C library's heap is as fast only where it keeps its memory.
    enableCpuMemArena: !NATIVE_HEAP,
    // It would undo what is computed twice on purpose.
    extra: { optimization: { disable_specified_optimizers: 'CommonSubexpressionElimination' } },
    ...(locations && { preferredOutputLocation: locations }),
    ...(profile && { enableProfiling: true, profileFilePrefix: profile(name) }),
  });
}

/** The runtime that is installed, as checkpoints name it. */
export const RUNTIME = `onnxruntime ${ort.env.versions.node ?? ort.env.versions.common}`;

/** Rounds a number to 16 bits and back on a provider. @throws what keeps it from that. */
export async function tryHalf(dtype: HalfType, options: SessionOptions): Promise<void> {
  const graph = new OnnxGraph('half');
  const vector = { shape: [4], dtype: 'float32' } as const;
  const input = graph.input(vector);
  const half = graph.op('Cast', [input], { to: ONNX_TYPE[dtype] });
  const output = graph.output(graph.op('Cast', [half], { to: ONNX_TYPE.float32 }), vector);
  const session = await createSession(graph.encode(), 'half', options);
  try {
    const found = await session.run({
      [input]: new ort.Tensor('float32', Float32Array.of(1, -2, 0.5, 0), [4]),
    });
    const [first] = (found[output] as ort.Tensor).data as Float32Array;
    if (first !== 1) throw new Error(`1 came back as ${first}`);
  } finally {
    await session.release();
  }
}

/** Opens a provider and closes it again. @throws what keeps it from running here. */
export async function tryProvider(options: SessionOptions): Promise<void> {
  const graph = new OnnxGraph('nothing');
  const scalar = { shape: [], dtype: 'float32' } as const;
  graph.output(graph.input(scalar), scalar);
  await (await createSession(graph.encode(), 'nothing', options)).release();
}
