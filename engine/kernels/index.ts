import { contractionKernels } from './contraction.js';
import { elementwiseKernels } from './elementwise.js';
import type { KernelTable } from './kernel.js';
import { movementKernels } from './movement.js';
import { reductionKernels } from './reduction.js';

export { elementwiseKernels } from './elementwise.js';
export { axesOf } from './reduction.js';
export { webgpuLowerings } from './webgpu.js';
export {
  at,
  broadcastShapes,
  ONNX_TYPE,
  type Emitter,
  type Kernel,
  type KernelTable,
  type Lowerings,
  type OnnxAttribute,
} from './kernel.js';

/** Every kernel that programs may use, by tfjs name. */
export const kernels: KernelTable = {
  ...elementwiseKernels,
  ...reductionKernels,
  ...movementKernels,
  ...contractionKernels,
};
