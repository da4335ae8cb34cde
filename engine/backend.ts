/** @file The one place that switches tfjs's global backend; always within one synchronous call. */
import * as tf from '@tensorflow/tfjs';

// Silences the advice to install a native backend: these backends are chosen on purpose.
tf.enableProdMode();

/** Runs `work` with a tfjs backend active; the backend must initialise synchronously, as `cpu` and ours do. */
export function withBackend<T>(name: string, work: () => T): T {
  void tf.setBackend(name);
  if (tf.getBackend() !== name) throw new Error(`tfjs: backend ${name} did not start`);
  return work();
}
