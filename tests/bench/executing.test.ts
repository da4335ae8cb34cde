/** @file The options that say where the sides of a comparison run: read, passed on, and refused where that cannot be. */
import { Command } from 'commander';
import { describe, expect, it } from 'vitest';
import { addExecuting, executingArgs, executorFor, type Executing } from '../../bench/executing.js';
import { readShapes } from '../../bench/shapes.js';
import { addPeerSetting, peerArgs, settingsOf, type PeerOptions } from '../../bench/peer.js';
import { EXECUTORS } from '../../engine/index.js';
import { noCuda } from '../helpers/cuda.js';

const shapes = { ...readShapes('bench/configs/tiny.json'), threads: 1 };
const quiet = (): Command => new Command('x').exitOverride().configureOutput({ writeErr: () => undefined });
const executing = (...args: readonly string[]): Executing =>
  addExecuting(quiet()).parse(args, { from: 'user' }).opts();
const peers = (...args: readonly string[]) =>
  settingsOf(addPeerSetting(quiet()).parse(args, { from: 'user' }).opts<PeerOptions>());

describe('--executor and --device', () => {
  it('reach a child process as they were given', () => {
    for (const executor of EXECUTORS)
      expect(executing(...executingArgs({ executor, device: 1 }))).toEqual({ executor, device: 1 });
    expect(executing()).toEqual({ executor: 'onnxruntime', device: 0 });
  });

  it.each([
    ['--executor', 'gpu'],
    ['--device', '-1'],
  ])('refuse what is none: %s %s', (option, value) => {
    expect(() => executing(option, value)).toThrow();
  });

  it.skipIf(noCuda === undefined)('say why there is no CUDA here, and how exact it would be', async () => {
    const former = process.env['NVIDIA_TF32_OVERRIDE'];
    delete process.env['NVIDIA_TF32_OVERRIDE'];
    await expect(executorFor(shapes, { executor: 'cuda', device: 0 })).rejects.toMatchObject({
      code: 'EXECUTOR_UNAVAILABLE',
    });
    // Said before the first session, which loads the libraries that read it.
    expect(process.env['NVIDIA_TF32_OVERRIDE']).toBe('0');
    if (former !== undefined) process.env['NVIDIA_TF32_OVERRIDE'] = former;
  });

  it('compute in the precision of the configuration, or say that they cannot', async () => {
    const halves = { ...shapes, precision: 'float16' } as const;
    const executor = await executorFor(halves, { executor: 'onnxruntime', device: 0 });
    expect(executor.precision).toBe('float16');
    for (const each of [halves, { ...shapes, weights: 'bfloat16' } as const])
      await expect(executorFor(each, { executor: 'tfjs', device: 0 })).rejects.toMatchObject({
        code: 'PRECISION_UNSUPPORTED',
      });
  });
});

describe('--peer-device and --peer-precision', () => {
  it('make a comparison for each precision', () => {
    expect(peers()).toEqual([{ device: 'cpu', precision: 'fp32' }]);
    const settings = peers('--peer-device', 'cuda:1', '--peer-precision', 'fp32,bf16');
    expect(settings.map((each) => peerArgs(each).join(' '))).toEqual([
      '--device cuda:1 --precision fp32',
      '--device cuda:1 --precision bf16',
    ]);
  });

  it('refuse a precision that the peer does not have', () => {
    expect(() => peers('--peer-precision', 'fp32,fp8')).toThrow(/fp32 or bf16/);
  });
});
