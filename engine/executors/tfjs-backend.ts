/** @file Which backend eager tfjs runs on: TensorFlow's own library where the user has installed it, else plain JavaScript. */
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import * as tf from '@tensorflow/tfjs';
import { complain } from '../../foundation/index.js';

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

export interface TfjsLoading {
  /** Threads inside an operation of TensorFlow; as many as there are cores, if not given. */
  readonly threads?: number;
  /** The folder of `@tensorflow/tfjs-node` where it is not installed beside latstream: by default what `LATSTREAM_TFJS_NODE` names. */
  readonly folder?: string | undefined;
  /** Imports a package; it throws where there is none, or none of its native library. */
  readonly load?: (name: string) => Promise<unknown>;
}

/**
 * The fastest backend that is installed.
 * @throws EXECUTOR_UNAVAILABLE where a folder is named and does not bring one.
 */
export async function loadTfjsBackend({
  threads,
  folder = process.env['LATSTREAM_TFJS_NODE'],
  load = (name) => import(name),
}: TfjsLoading = {}): Promise<TfjsBackend> {
  // TensorFlow reads them when it is loaded. What it says of the processor is no news.
  process.env['TF_CPP_MIN_LOG_LEVEL'] ??= '1';
  if (threads !== undefined) process.env['TF_NUM_INTRAOP_THREADS'] ??= String(threads);
  if (folder) return ofFolder(folder, load);
  for (const from of NATIVE_TFJS) {
    try {
      await load(from);
      if (isRegistered()) return { backend: 'tensorflow', from };
    } catch {
      // What is wrong with it is for `latstream doctor` to say.
    }
  }
  return PLAIN_TFJS;
}

async function ofFolder(folder: string, load: (name: string) => Promise<unknown>): Promise<TfjsBackend> {
  const from = /tfjs-node-gpu\/?$/.test(folder) ? NATIVE_TFJS[0] : NATIVE_TFJS[1];
  let reason = 'it registers no backend';
  try {
    // Its copy of tfjs shares the engine and the kernels of ours: they are global.
    await load(pathToFileURL(join(resolve(folder), 'dist/index.js')).href);
    if (isRegistered()) return { backend: 'tensorflow', from };
  } catch (error) {
    reason = (error instanceof Error ? error.message : String(error)).split('\n')[0] ?? '';
  }
  return complain({
    code: 'EXECUTOR_UNAVAILABLE',
    owner: 'executor tfjs',
    expected: `@tensorflow/tfjs-node with its native library in ${folder} (LATSTREAM_TFJS_NODE)`,
    got: reason,
    hint: 'latstream tfjs-node builds the library; without the variable tfjs takes what is installed',
  });
}

function isRegistered(): boolean {
  return tf.engine().registryFactory['tensorflow'] !== undefined;
}

/** What decides bits: tfjs's version, and on native kernels TensorFlow's and its threads. */
export function tfjsFingerprint({ backend }: TfjsBackend): Readonly<Record<string, string | number>> {
  const runtime = `tfjs ${tf.version_core}`;
  if (backend === 'cpu') return { runtime };
  const found = tf.findBackend(backend) as { readonly binding?: { readonly TF_Version?: string } } | null;
  const threads = process.env['TF_NUM_INTRAOP_THREADS'];
  return {
    runtime: `${runtime}, TensorFlow ${found?.binding?.TF_Version ?? 'of another kind'}`,
    ...(threads && { threads: Number(threads) }),
  };
}
