/** @file Executors by name. */
import type { Executor } from '../executor.js';
import type { Precision } from '../precision.js';
import type { Sparing } from './compiled.js';
import { cudaExecutor, halvingOnCuda } from './cuda.js';
import type { ExecutorName } from './name.js';
import { loadCApi } from './resident/c-api.js';
import { residentExecutor } from './resident/executor.js';
import { onnxruntimeExecutor } from './onnxruntime.js';
import type { SessionOptions } from './session.js';
import { tfjsExecutor } from './tfjs.js';
import { loadTfjsBackend } from './tfjs-backend.js';
import { webgpuExecutor } from './webgpu.js';

/** What executors are told; each takes what concerns it. */
export interface ExecutorOptions extends Omit<SessionOptions, 'provider'>, Sparing {
  readonly precision?: Precision;
}

/** The executor of a name. Whether it can run here shows when it first compiles: ask `diagnose` for the reasons. */
export async function createExecutor(name: ExecutorName, options: ExecutorOptions): Promise<Executor> {
  if (name === 'webgpu') return webgpuExecutor(options);
  if (name === 'cuda') return onCuda(options);
  return name === 'tfjs' ? tfjsExecutor(await loadTfjsBackend(options)) : onnxruntimeExecutor(options);
}

/** With values that stay on the card where koffi is installed; profiles are the binding's affair. */
async function onCuda(options: ExecutorOptions): Promise<Executor> {
  const api = options.profile ? undefined : await loadCApi();
  const halving = halvingOnCuda(options.precision);
  return api ? residentExecutor(api, { ...options, provider: 'cuda', halving }) : cudaExecutor(options);
}
