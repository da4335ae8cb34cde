export { createEngine, type Engine, type EngineStats, type Loop } from './engine.js';
export type {
  Definition,
  Executable,
  ExecutableLoop,
  Executor,
  Leaves,
  Signature,
  ValuesOf,
} from './executor.js';
export { NATIVE_MEMORY } from './executors/native-memory.js';
export { onnxruntimeExecutor, type OnnxRuntimeOptions } from './executors/onnxruntime.js';
export { tfjsExecutor } from './executors/tfjs.js';
export { webgpuExecutor, type WebGpuOptions } from './executors/webgpu.js';
export { valueAndGradients, type Differentiable, type Gradients, type Named } from './gradients.js';
export * as ops from './ops.js';
export type { Tensor } from './ops.js';
export { float32, int32, isValue, sizeOf, type DType, type HostTensor, type Value } from './tensor.js';
export { flatten, leafAt, mapTree, type Tree } from './tree.js';
export * from './models/index.js';
export * from './optimizers/index.js';
