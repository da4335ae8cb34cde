/** @file What keeps ONNX Runtime's WebGPU provider from running, and what to do about it. */
import type { Attempt } from './attempt.js';
import type { Machine } from './machine.js';
import { told, type Trouble } from './trouble.js';

/** True where all that Vulkan can use is the CPU. */
export function isSoftware({ platform, vulkanDrivers }: Machine): boolean {
  return (
    platform === 'linux' &&
    vulkanDrivers.length > 0 &&
    vulkanDrivers.every((path) => /swiftshader|lvp|llvmpipe/i.test(path))
  );
}

/** Trouble with the provider. */
export function webgpuAdvice(machine: Machine, attempt: Attempt): Trouble {
  const { platform, arch, libraries, vulkanDrivers, graphics } = machine;
  if (platform === 'linux' && arch !== 'x64')
    return {
      because: `onnxruntime-node has no WebGPU for Linux on ${arch}`,
      advice: ['use --executor onnxruntime (CPU)'],
    };
  if (platform !== 'linux') return { because: told(attempt), advice: ["update the graphics card's driver"] };
  if (!libraries.includes('libvulkan.so.1'))
    return {
      because: 'the Vulkan loader (libvulkan.so.1) is not installed',
      advice: ['apt-get install libvulkan1 (Debian, Ubuntu) or dnf install vulkan-loader (Fedora, RHEL)'],
    };
  if (vulkanDrivers.length === 0)
    return {
      because: 'no Vulkan driver is installed',
      advice: [
        "NVIDIA: the driver's own package (in a container, NVIDIA_DRIVER_CAPABILITIES=all); AMD, Intel: apt-get install mesa-vulkan-drivers",
        'to try it without a GPU: apt-get install chromium, then VK_ICD_FILENAMES=/usr/lib/chromium/vk_swiftshader_icd.json',
      ],
    };
  const drivers = vulkanDrivers.join(', ');
  if (attempt.end === 'failed' && graphics.length === 0)
    return {
      because: `${told(attempt)}; there is a driver (${drivers}), and no graphics device in /dev`,
      advice: ['in a container, pass the device in: --gpus all (NVIDIA) or --device /dev/dri (others)'],
    };
  return {
    because: `${told(attempt)} (drivers: ${drivers})`,
    advice: [
      'vulkaninfo --summary shows whether the driver works at all: update or reinstall it',
      'name another driver in VK_DRIVER_FILES, if there are several',
      ...(attempt.end === 'failed'
        ? ['the user must be allowed to open /dev/dri/renderD*: group render']
        : []),
    ],
  };
}
