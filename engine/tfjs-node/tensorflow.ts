/** @file A TensorFlow that is on this machine: where its headers and its libraries are. */
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { complain } from '../../foundation/index.js';

/** Absolute where the folder was. */
export interface Tensorflow {
  /** The folder of `tensorflow/c/c_api.h`. */
  readonly headers: string;
  /** The library with the C API (`libtensorflow_cc.so.2` of a wheel, `libtensorflow.so.2` of the C distribution), and what it stands on. */
  readonly library: string;
  readonly framework: string;
}

const LIBRARIES = ['libtensorflow.so.2', 'libtensorflow_cc.so.2', 'libtensorflow.so'];
const FRAMEWORKS = ['libtensorflow_framework.so.2', 'libtensorflow_framework.so'];

/**
 * TensorFlow in a folder: an unpacked wheel or C distribution, `site-packages`, or a virtual environment.
 * @throws EXECUTOR_BUILD where there is none.
 */
export function findTensorflow(folder: string): Tensorflow {
  const found = roots(folder).flatMap((root) => ofRoot(root) ?? [])[0];
  return (
    found ??
    complain({
      code: 'EXECUTOR_BUILD',
      owner: 'tfjs-node',
      expected:
        'a folder with include/tensorflow/c/eager/c_api.h, libtensorflow(_cc).so.2 and libtensorflow_framework.so.2',
      got: existsSync(folder) ? `${folder}, which has not all of them` : `${folder}, which does not exist`,
      hint: 'pip download --no-deps tensorflow-cpu, unzip the wheel, and name the folder that it was unzipped into',
    })
  );
}

function roots(folder: string): string[] {
  const ofPython = inFolder(join(folder, 'lib'))
    .filter((name) => name.startsWith('python'))
    .map((name) => join(folder, 'lib', name, 'site-packages/tensorflow'));
  return [folder, join(folder, 'tensorflow'), ...ofPython];
}

function ofRoot(root: string): Tensorflow | undefined {
  const headers = join(root, 'include');
  const library = inOrBelow(root, LIBRARIES);
  const framework = inOrBelow(root, FRAMEWORKS);
  const complete = existsSync(join(headers, 'tensorflow/c/eager/c_api.h')) && library && framework;
  return complete ? { headers, library, framework } : undefined;
}

function inOrBelow(root: string, names: readonly string[]): string | undefined {
  return [root, join(root, 'lib')]
    .flatMap((folder) => names.map((name) => join(folder, name)))
    .find((path) => existsSync(path));
}

function inFolder(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}
