/** @file Runs programs compiled on ONNX Runtime's CUDA provider, from and to host memory: the binding has no CUDA tensors. */
import type { Executor } from '../executor.js';
import type { Halving } from '../halve.js';
import { halfOf, type Precision } from '../precision.js';
import type { Sparing } from './compiled.js';
import { hostExecutor } from './onnxruntime.js';
import type { SessionOptions } from './session.js';

export interface CudaOptions extends Omit<SessionOptions, 'provider'>, Sparing {
  /** Products with 10 bits of mantissa: faster, and 1e-3 off. By default not. */
  readonly tf32?: boolean;
  /** In how many bits products and what is made of them are computed: float32 if not given. */
  readonly precision?: Precision;
}

/**
 * The executor on an NVIDIA GPU. The binding passes the device's number and nothing else to the provider; how exact products
 * are is said to CUDA's libraries by a variable, which they read when they are loaded: at the process's first session.
 */
export function cudaExecutor({ tf32, ...options }: CudaOptions): Executor {
  if (tf32) process.env['NVIDIA_TF32_OVERRIDE'] ??= '1';
  const halving = halvingOnCuda(options.precision);
  return hostExecutor('onnxruntime-cuda', { ...options, provider: 'cuda', halving });
}

/** How the provider computes in a precision: it has products of both types of 16 bits, and functions of one. */
export function halvingOnCuda(precision: Precision | undefined): Halving | undefined {
  const type = halfOf(precision);
  if (!type) return undefined;
  // Products of halves are summed in float32; this has their parts summed so, too.
  process.env['ORT_CUDA_GEMM_OPTIONS'] ??= '2';
  return { type, products: 'half', elementwise: type === 'float16' };
}
