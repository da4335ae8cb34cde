/** @file TensorFlow's own kernels for the tests of eager tfjs: where `LATSTREAM_TFJS_NODE` names the package, or it is installed. */
import { loadTfjsBackend, type TfjsBackend } from '../../engine/index.js';

const found = await loadTfjsBackend({ threads: 1 });

/** The native backend; undefined where there is none. */
export const nativeTfjs: TfjsBackend | undefined = found.backend === 'tensorflow' ? found : undefined;

/** Why it cannot be tested here; undefined where it can. */
export const noNativeTfjs: string | undefined = nativeTfjs
  ? undefined
  : 'no @tensorflow/tfjs-node with its library (name its folder in LATSTREAM_TFJS_NODE)';
