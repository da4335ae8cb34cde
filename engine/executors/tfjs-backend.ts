/** @file Which backend eager tfjs runs on: TensorFlow's own library where the user has installed it, else plain JavaScript. */
import * as tf from '@tensorflow/tfjs';

/** A backend that is registered and can be started synchronously. */
export interface TfjsBackend {
  /** As tfjs registers it. */
  readonly backend: 'tensorflow' | 'cpu';
  /** The package that brought it. */
  readonly from: '@tensorflow/tfjs-node-gpu' | '@tensorflow/tfjs-node' | '@tensorflow/tfjs';
}

/** The first that loads is taken. */
export const NATIVE_TFJS = ['@tensorflow/tfjs-node-gpu', '@tensorflow/tfjs-node'] as const;

/** What every machine has. */
export const PLAIN_TFJS: TfjsBackend = { backend: 'cpu', from: '@tensorflow/tfjs' };

/**
 * The fastest backend that is installed.
 * @param load imports a package; it throws where there is none, or none of its native library.
 */
export async function loadTfjsBackend(
  load: (name: string) => Promise<unknown> = (name) => import(name),
): Promise<TfjsBackend> {
  for (const from of NATIVE_TFJS) {
    try {
      await load(from);
      if (tf.engine().registryFactory['tensorflow']) return { backend: 'tensorflow', from };
    } catch {
      // What is wrong with it is for `latstream doctor` to say.
    }
  }
  return PLAIN_TFJS;
}
