/** @file What keeps ONNX Runtime's CUDA provider from running, and what to do about it. */
import type { Attempt } from './attempt.js';
import type { Machine } from './machine.js';
import { told, type Trouble } from './trouble.js';

/** Trouble with the provider. */
export function cudaAdvice(machine: Machine, attempt: Attempt): Trouble {
  const { platform, arch, cudaProvider, libraries, nvidiaDriver } = machine;
  if (platform !== 'linux' || arch !== 'x64')
    return {
      because: `onnxruntime-node has CUDA for Linux on x64 only, and this is ${platform} on ${arch}`,
      advice: ['use --executor webgpu: it reaches NVIDIA cards, too'],
    };
  const hasDriver = libraries.includes('libcuda.so.1') || nvidiaDriver !== undefined;
  if (!cudaProvider)
    return {
      because: `the CUDA provider of onnxruntime-node is not installed${hasDriver ? '' : ', nor a driver of NVIDIA'}`,
      advice: [...(hasDriver ? [] : [DRIVER]), ...bothWays(machine)],
    };
  if (!hasDriver) return { because: 'no driver of NVIDIA is installed (libcuda.so.1)', advice: [DRIVER] };
  const message = attempt.end === 'failed' ? attempt.message : attempt.end === 'died' ? attempt.said : '';
  const missing = /(lib[\w-]+\.so[\d.]*): cannot open/.exec(message)?.[1];
  if (missing !== undefined || !libraries.includes('libcudnn.so.9'))
    return {
      because: `a library of CUDA is missing: ${missing ?? 'libcudnn.so.9'}`,
      advice: [ofLibrary(missing ?? 'libcudnn.so.9'), 'if it is there, name its folder in LD_LIBRARY_PATH'],
    };
  if (/insufficient|forward compat/i.test(message))
    return {
      because: `the driver is older than the CUDA libraries (${nvidiaDriver ?? told(attempt)})`,
      advice: [`update it: CUDA 12 needs 525 or later, CUDA 13 needs 580 or later`],
    };
  if (/no CUDA-capable device|invalid device ordinal/i.test(message))
    return {
      because: 'CUDA finds no such device',
      advice: ['nvidia-smi lists them; --device 0 is the first, CUDA_VISIBLE_DEVICES may hide some'],
    };
  return {
    because: told(attempt),
    advice: [
      'nvidia-smi shows whether the driver works at all: update or reinstall it, or restart the machine',
    ],
  };
}

const DRIVER = "install NVIDIA's driver (in a container: --gpus all), until nvidia-smi lists the card";

/** How a user gets the provider: by the package's own installer, or out of the wheel of the same version. */
function bothWays({ runtime: { version, folder } }: Machine): string[] {
  return [
    'CUDA 12: ONNXRUNTIME_NODE_INSTALL=cuda12 npm rebuild onnxruntime-node (it downloads from outside npm)',
    `CUDA 13, behind a mirror: pip download --no-deps onnxruntime-gpu==${version}, and unzip -j its ` +
      `onnxruntime/capi/libonnxruntime_providers_{cuda,shared}.so into ${folder || "the runtime's folder"}`,
  ];
}

function ofLibrary(name: string): string {
  if (name.startsWith('libcudnn'))
    return 'install cuDNN 9 for your CUDA (pip install nvidia-cudnn-cu12 or -cu13)';
  const version = /\.so\.(\d+)/.exec(name)?.[1];
  const cuda =
    version === '13' || version === '12' ? `CUDA ${version}` : 'the CUDA that the provider was built for';
  return `install ${cuda} and cuDNN 9 (the toolkit, or the nvidia-* wheels)`;
}
