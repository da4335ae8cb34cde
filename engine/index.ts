export { createEngine, type Engine, type EngineOptions, type EngineStats, type Loop } from './engine.js';
export type {
  Definition,
  Executable,
  ExecutableLoop,
  Executor,
  Leaves,
  Signature,
  ValuesOf,
} from './executor.js';
export { createExecutor, type ExecutorOptions } from './executors/create.js';
export { cudaExecutor, type CudaOptions } from './executors/cuda.js';
export { EXECUTORS, type ExecutorName } from './executors/name.js';
export { NATIVE_MEMORY } from './executors/native-memory.js';
export { onnxruntimeExecutor, type OnnxRuntimeOptions } from './executors/onnxruntime.js';
export { liveTensors, tfjsExecutor } from './executors/tfjs.js';
export { loadTfjsBackend, type TfjsBackend } from './executors/tfjs-backend.js';
export { webgpuExecutor, type WebGpuOptions } from './executors/webgpu.js';
export { diagnoses, preferred, requireExecutor, resolveExecutor } from './machine/choose.js';
export { obstacleTo, requirePrecision, type Obstacle } from './machine/precisions.js';
export type { Diagnosis } from './machine/diagnosis.js';
export { thisMachine, type Machine } from './machine/machine.js';
export { buildTfjsNode, type TfjsNodeBuilt } from './tfjs-node/build.js';
export { firstScale, grown, LOSS_SCALING, shrunk, type LossScaling, type ScaleState } from './loss-scale.js';
export { valueAndGradients, type Differentiable, type Gradients, type Named } from './gradients.js';
export * as ops from './ops.js';
export type { Tensor } from './ops.js';
export { PRECISIONS, type Precision } from './precision.js';
export {
  float32,
  HALF_TYPES,
  int32,
  isHalf,
  isValue,
  narrowed,
  sizeOf,
  widened,
  type DType,
  type HalfTensor,
  type HalfType,
  type HostTensor,
  type Value,
} from './tensor.js';
export { flatten, leafAt, mapTree, type Tree } from './tree.js';
export * from './models/index.js';
export * from './optimizers/index.js';
