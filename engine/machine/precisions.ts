/** @file Which precisions an executor can compute in here, why not the others, and what to do instead. */
import { complain } from '../../foundation/index.js';
import type { ExecutorName } from '../executors/name.js';
import { tryHalf, type SessionOptions } from '../executors/session.js';
import { halfOf, PRECISIONS, type Precision } from '../precision.js';

/** What keeps an executor from a precision, and what can be done. */
export interface Obstacle {
  readonly because: string;
  readonly hint: string;
}

type TryHalf = typeof tryHalf;

/**
 * What keeps an executor from a precision; undefined where nothing does. Those that are computed elsewhere than on this CPU
 * are tried.
 * @param attempt for tests on machines that are made up.
 */
export async function obstacleTo(
  name: ExecutorName,
  precision: Precision,
  options: Omit<SessionOptions, 'provider'>,
  attempt: TryHalf = tryHalf,
): Promise<Obstacle | undefined> {
  const half = halfOf(precision);
  if (!half || name === 'onnxruntime') return undefined;
  if (name === 'tfjs') return { because: 'tfjs has no numbers of 16 bits', hint: ELSEWHERE };
  if (name === 'webgpu' && half === 'bfloat16')
    return { because: 'WebGPU has no bfloat16', hint: `choose float16, or ${ELSEWHERE}` };
  try {
    await attempt(half, { ...options, provider: name });
    return undefined;
  } catch (error) {
    return refused(name, half, error instanceof Error ? error.message : String(error));
  }
}

/** The precisions that nothing keeps an executor from. */
export async function possiblePrecisions(
  name: ExecutorName,
  options: Omit<SessionOptions, 'provider'>,
): Promise<Precision[]> {
  const possible: Precision[] = [];
  for (const precision of PRECISIONS)
    if (!(await obstacleTo(name, precision, options))) possible.push(precision);
  return possible;
}

const ELSEWHERE = '--executor onnxruntime, or float32';

function refused(name: ExecutorName, half: string, message: string): Obstacle {
  if (name === 'webgpu' && /requires f16/.test(message))
    return {
      because: 'the device does not have the feature shader-f16',
      hint: `${ELSEWHERE}; drivers of GPUs have it, that of SwiftShader does not`,
    };
  return { because: `${half} failed there: ${message.split('\n')[0]?.slice(0, 200) ?? ''}`, hint: ELSEWHERE };
}

/** @throws PRECISION_UNSUPPORTED where an executor cannot compute in a precision here: why, and what to do. */
export async function requirePrecision(
  name: ExecutorName,
  precision: Precision,
  options: Omit<SessionOptions, 'provider'>,
): Promise<void> {
  const obstacle = await obstacleTo(name, precision, options);
  if (obstacle)
    complain({
      code: 'PRECISION_UNSUPPORTED',
      owner: `executor ${name}`,
      expected: `a device that computes with ${precision}`,
      got: obstacle.because,
      hint: obstacle.hint,
    });
}
