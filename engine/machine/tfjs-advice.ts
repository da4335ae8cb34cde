/** @file What keeps tfjs from TensorFlow's own kernels, and what to do about it. */
import type { Machine } from './machine.js';

/** Where tfjs runs, in plain JavaScript: how to get native kernels. */
export function betterTfjs({ packages, platform }: Machine): string[] {
  const installed = Object.entries(packages).flatMap(([name, version]) =>
    version && name !== 'koffi' ? [`${name} ${version}`] : [],
  );
  if (installed.length > 0)
    return [
      `${installed.join(' and ')} does not load its native library: run npm rebuild`,
      ...offline(platform),
    ];
  return [
    'npm install @tensorflow/tfjs-node (or -gpu, for CUDA 11.2) beside latstream for native kernels',
    ...offline(platform, 'npm install --ignore-scripts @tensorflow/tfjs-node, then '),
  ];
}

/** Where tfjs does not run at all: only a native library can be at fault. */
export function tfjsAdvice({ platform }: Machine): string[] {
  return [
    'remove @tensorflow/tfjs-node, or LATSTREAM_TFJS_NODE: tfjs then runs in plain JavaScript',
    ...offline(platform),
  ];
}

/** The way that downloads nothing. */
function offline(platform: NodeJS.Platform, before = ''): string[] {
  if (platform !== 'linux') return [];
  return [
    `where its download is closed: ${before}latstream tfjs-node --tensorflow DIR builds it against a TensorFlow in DIR`,
  ];
}
