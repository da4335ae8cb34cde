/** @file Which precisions executors say they can compute in, on machines that are made up and on this one. */
import { describe, expect, it } from 'vitest';
import { obstacleTo, requirePrecision } from '../../../engine/index.js';
import { LatstreamError } from '../../../foundation/index.js';
import { noWebGpu } from '../../helpers/webgpu.js';

const options = { threads: 1 };
const works = (): Promise<void> => Promise.resolve();
const fails = (message: string) => (): Promise<void> => Promise.reject(new Error(message));

describe('an executor', () => {
  it('on the CPU computes in every precision, tfjs in float32', async () => {
    for (const precision of ['float32', 'float16', 'bfloat16'] as const) {
      expect(await obstacleTo('onnxruntime', precision, options, fails('not to be tried'))).toBeUndefined();
      const tfjs = await obstacleTo('tfjs', precision, options, works);
      expect(tfjs?.because).toBe(precision === 'float32' ? undefined : 'tfjs has no numbers of 16 bits');
    }
  });

  it('on a GPU computes in float16 where that worked when it was tried', async () => {
    expect(await obstacleTo('webgpu', 'float16', options, works)).toBeUndefined();
    expect(await obstacleTo('cuda', 'bfloat16', options, works)).toBeUndefined();
    const lacking = fails(
      'shader_helper.cc:416 Program Cast requires f16 but the device does not support it.',
    );
    expect((await obstacleTo('webgpu', 'float16', options, lacking))?.because).toContain('shader-f16');
    const odd = await obstacleTo('cuda', 'float16', options, fails('no such kernel\nand more'));
    expect(odd?.because).toBe('float16 failed there: no such kernel');
  });

  it('of WebGPU has no bfloat16, whatever the device', async () => {
    expect((await obstacleTo('webgpu', 'bfloat16', options, works))?.because).toBe('WebGPU has no bfloat16');
  });

  if (noWebGpu !== undefined || !process.env['VK_ICD_FILENAMES']?.includes('swiftshader'))
    it.skip(`not here: ${noWebGpu ?? 'not the driver in software that lacks it'}`, () => undefined);
  else
    it('refuses what its device lacks by a code, naming executor, feature and what to do', async () => {
      const error: unknown = await requirePrecision('webgpu', 'float16', options).catch((e: unknown) => e);
      expect(error).toBeInstanceOf(LatstreamError);
      expect((error as LatstreamError).code).toBe('PRECISION_UNSUPPORTED');
      expect((error as LatstreamError).message).toMatch(
        /executor webgpu.*shader-f16.*--executor onnxruntime/,
      );
    });
});
