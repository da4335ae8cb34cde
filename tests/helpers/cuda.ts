/** @file Whether the CUDA executor can be tested here. */
import { thisMachine } from '../../engine/index.js';

/** Why it cannot; undefined where it can. Where it should and does not, its tests fail. */
export const noCuda: string | undefined = reason();

function reason(): string | undefined {
  const { cudaProvider, libraries } = thisMachine();
  if (!cudaProvider) return 'no CUDA provider beside onnxruntime-node (docs/accelerators.md)';
  return libraries.includes('libcuda.so.1') ? undefined : 'no driver of NVIDIA (libcuda.so.1)';
}
