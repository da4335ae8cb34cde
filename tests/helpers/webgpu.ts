/** @file A Vulkan driver for the tests of the WebGPU executor: this machine's own where one is named, else the one in software that Chromium brings. */
import { existsSync } from 'node:fs';

const SOFTWARE = '/usr/lib/chromium/vk_swiftshader_icd.json';
const LOADERS = ['/usr/lib/x86_64-linux-gnu', '/usr/lib64', '/usr/lib'].map((folder) => `${folder}/libvulkan.so.1`);

/** Why the WebGPU executor cannot be tested here; undefined where it can. The runtime reads the variable when it first opens a device. */
export const noWebGpu: string | undefined = reason();

function reason(): string | undefined {
  if (process.env['VK_ICD_FILENAMES'] ?? process.env['VK_DRIVER_FILES']) return undefined;
  if (!LOADERS.some(existsSync)) return 'no Vulkan loader (libvulkan1)';
  if (!existsSync(SOFTWARE)) return `no Chromium with a software driver at ${SOFTWARE} (or name a driver in VK_ICD_FILENAMES)`;
  process.env['VK_ICD_FILENAMES'] = SOFTWARE;
  return undefined;
}
