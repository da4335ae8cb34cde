/** @file The executors that are held to the published trajectories, and to how many of them. */
import {
  createExecutor,
  obstacleTo,
  onnxruntimeExecutor,
  tfjsExecutor,
  webgpuExecutor,
  type Executor,
} from '../../engine/index.js';
import { loadCApi } from '../../engine/executors/resident/c-api.js';
import { residentExecutor } from '../../engine/executors/resident/executor.js';
import { noCuda } from '../helpers/cuda.js';
import { nativeTfjs, noNativeTfjs } from '../helpers/tfjs-node.js';
import { noWebGpu, watchedWebGpu } from '../helpers/webgpu.js';

/** An executor, and the cases that it computes. */
export interface Held {
  readonly make: () => Executor;
  readonly only: readonly string[];
  /** Why it computes none. */
  readonly not?: string | undefined;
  /** {@link EXACT} if not given. */
  readonly tolerances?: Tolerances;
}

/** How near figures must be to the published ones. */
export interface Tolerances {
  /** Relative errors of losses in the first step, and in later ones. */
  readonly first: number;
  readonly later: number;
  /** Losses below this are held to it: what is next to nothing is a difference of large numbers. */
  readonly least: number;
  /** Least cosines of δ and adapters, and of the adapters' movement. */
  readonly cosine: number;
  readonly movement: number;
}

export const EXACT: Tolerances = { first: 1e-4, later: 1e-3, least: 1e-6, cosine: 0.999, movement: 0.999 };

/** `docs/accelerators.md` says why. */
const HALF = {
  float16: { first: 0.03, later: 0.05, least: 0.1, cosine: 0.98, movement: 0.98 },
  bfloat16: { first: 0.2, later: 0.2, least: 0.1, cosine: 0.9, movement: 0.7 },
} as const satisfies Readonly<Record<string, Tolerances>>;

const api = await loadCApi();
const resident = api && residentExecutor(api, { threads: 1, provider: 'cpu' });
const cuda = await createExecutor('cuda', { threads: 1 });
const watched = watchedWebGpu(1);

const ALL = process.env['LATSTREAM_PARITY'] === 'all';
/** Chromium's driver has no 16-bit floats; Mesa's in software has from 25 on. Trying costs seconds. */
const noHalves =
  noWebGpu ??
  (ALL ? (await obstacleTo('webgpu', 'float16', { threads: 1 }))?.because : 'LATSTREAM_PARITY is not all');

/** What left the GPU. To be called once, after its engine is disposed. */
export const offDevice = watched.offDevice;

/** The default executor computes all cases, and the others where `LATSTREAM_PARITY=all` asks for it, as `.ci/run` does. */
export function parityExecutors(cases: readonly string[]): Readonly<Record<string, Held>> {
  // A driver in software compiles for seconds.
  const onGpu = ALL ? cases : ['toward_away_kl_completions'];
  const inHalf = (precision: keyof typeof HALF): Held => ({
    make: () => onnxruntimeExecutor({ threads: 1, precision }),
    only: ALL ? cases : cases.slice(0, precision === 'float16' ? 4 : 2),
    tolerances: HALF[precision],
  });
  return {
    'onnxruntime in float16': inHalf('float16'),
    'onnxruntime in bfloat16': inHalf('bfloat16'),
    onnxruntime: { make: () => onnxruntimeExecutor({ threads: 1 }), only: cases },
    tfjs: { make: () => tfjsExecutor(), only: ALL ? cases : ['toward_away_kl_completions', 'dpo'] },
    'tfjs-node': { make: () => tfjsExecutor(nativeTfjs), only: nativeTfjs ? cases : [], not: noNativeTfjs },
    // The calls of CUDA's executor, with host memory for a device.
    resident: {
      make: () => resident!,
      only: resident ? (ALL ? cases : ['toward_only']) : [],
      not: 'no koffi',
    },
    cuda: { make: () => cuda, only: noCuda === undefined ? cases : [], not: noCuda },
    webgpu: { make: () => watched.executor, only: noWebGpu === undefined ? onGpu : [], not: noWebGpu },
    'webgpu in float16': {
      make: () => webgpuExecutor({ threads: 1, precision: 'float16' }),
      only: noHalves === undefined ? cases : [],
      not: noHalves,
      tolerances: HALF.float16,
    },
  };
}
