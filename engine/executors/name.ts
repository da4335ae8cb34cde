/** @file Names of executors, as recipes and options give them. */

/** Where programs can run. */
export const EXECUTORS = ['onnxruntime', 'webgpu', 'cuda', 'tfjs'] as const;

export type ExecutorName = (typeof EXECUTORS)[number];
