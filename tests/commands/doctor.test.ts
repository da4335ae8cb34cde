/** @file `latstream doctor`, and executors that cannot run, as users meet them. */
import { describe, expect, it } from 'vitest';
import { EXIT } from '../../commands/exit.js';
import { loadRecipe } from '../../recipes/index.js';
import { cli } from '../helpers/cli.js';

/** Without drivers, whatever this machine has. */
const bare = {
  VK_ICD_FILENAMES: '/nowhere.json',
  VK_DRIVER_FILES: '/nowhere.json',
  CUDA_VISIBLE_DEVICES: '',
};

interface Said {
  readonly executors: readonly {
    readonly executor: string;
    readonly runs: boolean;
    readonly advice: readonly string[];
    readonly step?: { readonly milliseconds: number; readonly error: number };
  }[];
  readonly auto: string;
}

describe('latstream doctor', () => {
  it('tries every executor, measures what runs, and advises on what does not', async () => {
    const { code, stdout } = await cli(['doctor', '--threads', '1', '--json'], bare);
    const { executors, auto } = JSON.parse(stdout) as Said;
    expect(code).toBe(0);
    expect(auto).toBe('onnxruntime');
    expect(executors.map(({ executor }) => executor)).toEqual(['onnxruntime', 'webgpu', 'cuda', 'tfjs']);
    for (const { executor, runs, advice, step } of executors) {
      expect({ executor, runs }).toEqual({ executor, runs: ['onnxruntime', 'tfjs'].includes(executor) });
      if (runs) expect(step?.milliseconds).toBeGreaterThan(0);
      else expect(advice.length).toBeGreaterThan(0);
    }
  });
});

describe('an executor that cannot run here', () => {
  it('is an error of the machine that says why and what to do', async () => {
    const args = ['generate', '--model', 'organism/model', '--prompt', 'x', '--executor', 'webgpu', '--json'];
    const { code, stderr } = await cli(args, bare);
    expect(code).toBe(EXIT.environment);
    // The Vulkan loader itself may have warned before.
    const last = stderr.trimEnd().split('\n').at(-1) ?? '';
    expect(JSON.parse(last)).toMatchObject({
      error: { code: 'EXECUTOR_UNAVAILABLE', hint: expect.stringContaining('latstream doctor') as string },
    });
  });

  it('is chosen by option, by setting or by recipe, and is the same for all arms', async () => {
    expect((await loadRecipe('tiny', { executor: 'webgpu' })).executor).toBe('webgpu');
    expect((await loadRecipe('tiny', { set: ['executor=auto', 'device=1'] })).device).toBe(1);
    await expect(loadRecipe('tiny', { executor: 'gpu' })).rejects.toMatchObject({ code: 'RECIPE_INVALID' });
    await expect(loadRecipe('tiny', { set: ['arms={"a":{"device":1}}'] })).rejects.toMatchObject({
      code: 'RECIPE_ARM',
    });
  });
});
