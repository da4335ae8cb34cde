/** @file What is said of executors on machines that this one is not: facts and attempts are made up here. */
import { describe, expect, it } from 'vitest';
import { doctorText } from '../../../commands/doctor.js';
import { diagnoses, EXECUTORS, preferred, resolveExecutor } from '../../../engine/index.js';
import type { Attempt } from '../../../engine/machine/attempt.js';
import { diagnose } from '../../../engine/machine/diagnosis.js';
import type { Machine } from '../../../engine/machine/machine.js';

const bare: Machine = {
  platform: 'linux',
  arch: 'x64',
  node: 'v20.19.0',
  cores: 2,
  memory: 2 ** 33,
  glibc: true,
  runtime: { version: '1.30.0', folder: '/app/runtime' },
  libraries: [],
  cudaProvider: false,
  vulkanDrivers: [],
  graphics: [],
  nvidiaDriver: undefined,
  packages: {},
};
const withCard: Machine = {
  ...bare,
  libraries: ['libvulkan.so.1', 'libcuda.so.1', 'libcudnn.so.9'],
  cudaProvider: true,
  vulkanDrivers: ['/etc/vulkan/icd.d/nvidia_icd.json'],
  graphics: ['/dev/nvidia0'],
  nvidiaDriver: 'NVRM version: NVIDIA UNIX x86_64 Kernel Module  580.65.06',
};
const ran = (name: string, error = 1e-6): Attempt => ({
  end: 'ran',
  name,
  milliseconds: 2,
  firstMilliseconds: 50,
  error,
});
const failed = (message: string): Attempt => ({ end: 'failed', message });
const noAdapter = failed(
  '/src/webgpu_context.cc:136 Initialize(const Config&)::<lambda()> adapter_result.status == Success was false. ' +
    'Failed to get a WebGPU adapter: No supported adapters',
);

describe('a bare machine', () => {
  const attempts: Readonly<Record<string, Attempt>> = {
    onnxruntime: ran('onnxruntime-cpu'),
    webgpu: noAdapter,
    cuda: failed('Failed to load library libonnxruntime_providers_cuda.so'),
    tfjs: ran('tfjs-cpu'),
  };
  const attempt = ({ executor }: { executor: string }): Promise<Attempt> =>
    Promise.resolve(attempts[executor] as Attempt);

  it('runs on its CPU, and is told what each of the others lacks', async () => {
    const found = await diagnoses(EXECUTORS, { threads: 1, device: 0 }, { machine: bare, attempt });
    const [cpu, webgpu, cuda, tfjs] = found as [never, never, never, never];
    expect(cpu).toMatchObject({ runs: true, because: 'onnxruntime-cpu', advice: [] });
    expect(webgpu).toMatchObject({
      runs: false,
      because: expect.stringContaining('libvulkan.so.1') as string,
    });
    expect(webgpu).toMatchObject({ advice: [expect.stringContaining('apt-get install libvulkan1')] });
    expect(cuda).toMatchObject({
      runs: false,
      because: expect.stringMatching(/provider.*nor a driver/) as string,
    });
    expect(tfjs).toMatchObject({
      runs: true,
      advice: [
        expect.stringContaining('npm install @tensorflow/tfjs-node'),
        expect.stringMatching(/--ignore-scripts.*latstream tfjs-node --tensorflow DIR/),
      ],
    });
    expect(preferred(found)).toBe('onnxruntime');
  });

  it('means its CPU by auto, and what is named by a name', async () => {
    const options = { threads: 1, device: 0 };
    expect(await resolveExecutor('auto', options, { machine: bare, attempt })).toBe('onnxruntime');
    expect(await resolveExecutor('cuda', options, { machine: bare, attempt })).toBe('cuda');
  });

  it('with a loader, but without a driver of Vulkan is told how to get one, and one in software', () => {
    const found = diagnose('webgpu', { ...bare, libraries: ['libvulkan.so.1'] }, noAdapter);
    expect(found.because).toBe('no Vulkan driver is installed');
    expect(found.advice.join()).toMatch(/mesa-vulkan-drivers.*vk_swiftshader_icd/);
  });
});

describe('a broken driver', () => {
  it.each([
    [{ end: 'died', how: 'SIGSEGV', said: '' } as const, /ended by SIGSEGV.*nvidia_icd/],
    [
      { end: 'late', seconds: 60, doing: 'step 2' } as const,
      /it hangs: nothing came back in 60 s \(step 2\)/,
    ],
    [noAdapter, /^Failed to get a WebGPU adapter: No supported adapters/],
    [ran('onnxruntime-webgpu', 0.2), /computes wrongly: gradients differ by 2.0e-1/],
    [ran('onnxruntime-webgpu', NaN), /computes wrongly/],
  ])('of Vulkan: %o', (attempt, because) => {
    const found = diagnose('webgpu', withCard, attempt);
    expect(found).toMatchObject({ runs: false, because: expect.stringMatching(because) as string });
    expect(found.advice[0]).toContain('vulkaninfo');
  });

  it('of Vulkan without a device is told apart from one that is broken', () => {
    const found = diagnose('webgpu', { ...withCard, graphics: [] }, noAdapter);
    expect(found.because).toContain('no graphics device');
    expect(found.advice[0]).toContain('--gpus all');
  });

  it.each([
    ['CUDA failure 35: CUDA driver version is insufficient for CUDA runtime version', /older than/, /580/],
    ['CUDA failure 100: no CUDA-capable device is detected', /no such device/, /nvidia-smi/],
    ['CUDA failure 999: unknown error', /unknown error/, /nvidia-smi/],
  ])('of CUDA: %s', (message, because, advice) => {
    const found = diagnose('cuda', withCard, failed(message));
    expect(found.because).toMatch(because);
    expect(found.advice[0]).toMatch(advice);
  });
});

describe('a missing provider', () => {
  it('of CUDA beside a driver is told both ways to get it, with version and folder', () => {
    const found = diagnose('cuda', { ...withCard, cudaProvider: false }, failed('no such file'));
    expect(found.because).toBe('the CUDA provider of onnxruntime-node is not installed');
    expect(found.advice).toEqual([
      expect.stringContaining('ONNXRUNTIME_NODE_INSTALL=cuda12'),
      expect.stringMatching(/onnxruntime-gpu==1\.30\.0.*\/app\/runtime/),
    ]);
  });

  it.each([
    ['libcublasLt.so.12: cannot open shared object file: No such file', /libcublasLt.so.12/, /CUDA 12/],
    ['libcudart.so.13: cannot open shared object file: No such file', /libcudart.so.13/, /CUDA 13/],
  ])('whose libraries are missing names them: %s', (message, because, advice) => {
    const found = diagnose('cuda', withCard, failed(`Failed to load library with error: ${message}`));
    expect(found.because).toMatch(because);
    expect(found.advice[0]).toMatch(advice);
  });

  it('without cuDNN is told so before the first convolution would', () => {
    const libraries = ['libcuda.so.1', 'libvulkan.so.1'];
    const found = diagnose('cuda', { ...withCard, libraries }, failed('cuDNN not found'));
    expect(found.because).toContain('libcudnn.so.9');
  });

  it.each([
    ['cuda', { ...bare, platform: 'darwin' as const, arch: 'arm64' }, /Linux on x64 only/],
    ['webgpu', { ...bare, arch: 'arm64' }, /no WebGPU for Linux on arm64/],
    ['onnxruntime', { ...bare, glibc: false }, /glibc/],
  ] as const)('of another platform: %s', (executor, machine, because) => {
    expect(diagnose(executor, machine, failed('x')).because).toMatch(because);
  });

  it('of tfjs that is installed and does not load is named, with what builds it from what is there', () => {
    const packages = { '@tensorflow/tfjs-node': '4.22.0' };
    const found = diagnose('tfjs', { ...bare, packages }, ran('tfjs-cpu'));
    expect(found).toMatchObject({ runs: true });
    expect(found.advice).toEqual([
      expect.stringMatching(/tfjs-node 4.22.0 does not load/),
      expect.stringContaining('latstream tfjs-node --tensorflow DIR'),
    ]);
  });

  it('of tfjs is not built where the build was never tried', () => {
    const elsewhere = { ...bare, platform: 'darwin' as const };
    expect(diagnose('tfjs', elsewhere, ran('tfjs-cpu')).advice.join()).not.toContain('--tensorflow');
    expect(diagnose('tfjs', elsewhere, failed('x')).advice.join()).not.toContain('--tensorflow');
  });

  it('of tfjs that the user names and that does not load is an error, with the ways out', () => {
    const found = diagnose(
      'tfjs',
      bare,
      failed('executor tfjs: expected @tensorflow/tfjs-node with its library'),
    );
    expect(found).toMatchObject({ runs: false, because: expect.stringContaining('tfjs-node') as string });
    expect(found.advice.join()).toMatch(/LATSTREAM_TFJS_NODE.*latstream tfjs-node/);
  });

  it("of tfjs is nobody's advice where it runs on TensorFlow", () => {
    expect(diagnose('tfjs', bare, ran('tfjs-node'))).toMatchObject({ runs: true, advice: [] });
  });
});

describe('CUDA that runs', () => {
  it('is told how its weights stay on the card, until they do', () => {
    expect(diagnose('cuda', withCard, ran('onnxruntime-cuda')).advice).toEqual([
      expect.stringContaining('npm install koffi'),
    ]);
    const packages = { koffi: '3.3.4' };
    expect(diagnose('cuda', { ...withCard, packages }, ran('onnxruntime-cuda')).advice).toEqual([]);
    expect(diagnose('tfjs', { ...bare, packages }, ran('tfjs-cpu')).advice.join()).not.toContain('koffi');
  });
});

describe('a slow driver', () => {
  const slow: Attempt = {
    end: 'ran',
    name: 'onnxruntime-webgpu',
    milliseconds: 4200,
    firstMilliseconds: 31_000,
    error: 1e-6,
  };

  it('runs, is told as slow with what to do, and is not what auto means', () => {
    const found = diagnose('webgpu', withCard, slow);
    expect(found).toMatchObject({
      runs: true,
      slow: true,
      because: 'onnxruntime-webgpu, correctly, and slowly',
      step: { milliseconds: 4200, firstMilliseconds: 31_000 },
      advice: [expect.stringMatching(/busy.*--executor onnxruntime/) as string],
    });
    expect(doctorText(withCard, [found], 'onnxruntime')).toMatch(
      /runs on onnxruntime-webgpu, correctly, and slowly: 4200\.0 ms a small step \(the first 31000 ms\)/,
    );
    expect(preferred([found])).toBe('onnxruntime');
    expect(preferred([diagnose('webgpu', withCard, { ...slow, milliseconds: 40 })])).toBe('webgpu');
  });

  it('in software is told so, and slow of other executors is the machine’s', () => {
    const software = { ...withCard, vulkanDrivers: ['/usr/lib/chromium/vk_swiftshader_icd.json'] };
    expect(diagnose('webgpu', software, slow).because).toContain(
      'by a driver in software: correct, and slow',
    );
    expect(diagnose('onnxruntime', bare, slow).advice.join()).not.toContain('--executor');
  });
});

describe('auto', () => {
  const choice = async (machine: Machine, works: readonly string[]): Promise<string> =>
    resolveExecutor(
      'auto',
      { threads: 1, device: 0 },
      {
        machine,
        attempt: ({ executor }) => Promise.resolve(works.includes(executor) ? ran(executor) : failed('no')),
      },
    );

  it('prefers CUDA, then a GPU through WebGPU, and never one in software', async () => {
    expect(await choice(withCard, ['cuda', 'webgpu', 'onnxruntime'])).toBe('cuda');
    expect(await choice(withCard, ['webgpu', 'onnxruntime'])).toBe('webgpu');
    const software = { ...withCard, vulkanDrivers: ['/usr/lib/chromium/vk_swiftshader_icd.json'] };
    expect(await choice(software, ['webgpu', 'onnxruntime'])).toBe('onnxruntime');
  });
});
