/** @file The one place that switches tfjs's global backend; always within one synchronous call. */
import * as tf from '@tensorflow/tfjs';

// Silences the advice to install a native backend: these backends are chosen on purpose.
tf.enableProdMode();

/** Runs `work` with a tfjs backend active, then puts the former back; backends must start synchronously, as `cpu` and ours do. */
export function withBackend<T>(name: string, work: () => T): T {
  const before = tf.getBackend();
  activate(name);
  try {
    return work();
  } finally {
    activate(before || 'cpu');
  }
}

function activate(name: string): void {
  if (tf.getBackend() === name) return;
  void tf.setBackend(name);
  if (tf.getBackend() !== name) throw new Error(`tfjs: backend ${name} did not start`);
}
