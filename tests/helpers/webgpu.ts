/** @file A Vulkan driver for the tests of the WebGPU executor: this machine's own where one is named, or there is a card, else the one in software that Chromium brings. */
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { thisMachine, webgpuExecutor, type Executor } from '../../engine/index.js';
import { isSoftware } from '../../engine/machine/webgpu-advice.js';

const SOFTWARE = '/usr/lib/chromium/vk_swiftshader_icd.json';
const LOADERS = ['/usr/lib/x86_64-linux-gnu', '/usr/lib64', '/usr/lib'].map(
  (folder) => `${folder}/libvulkan.so.1`,
);

/** Why the WebGPU executor cannot be tested here; undefined where it can. The runtime reads the variable when it first opens a device. */
export const noWebGpu: string | undefined = reason();

function reason(): string | undefined {
  if (process.env['VK_ICD_FILENAMES'] ?? process.env['VK_DRIVER_FILES']) return undefined;
  if (!LOADERS.some(existsSync)) return 'no Vulkan loader (libvulkan1)';
  const machine = thisMachine();
  if (machine.graphics.length > 0 && machine.vulkanDrivers.length > 0 && !isSoftware(machine))
    return undefined;
  if (!existsSync(SOFTWARE))
    return `no Chromium with a software driver at ${SOFTWARE} (or name a driver in VK_ICD_FILENAMES)`;
  process.env['VK_ICD_FILENAMES'] = SOFTWARE;
  return undefined;
}

/** An executor whose profile says, once it is disposed, what left the device. */
export interface WatchedWebGpu {
  readonly executor: Executor;
  /** Nodes that ran elsewhere, and copies between it and the host. To be called once. */
  readonly offDevice: () => string[];
}

export function watchedWebGpu(threads: number): WatchedWebGpu {
  const folder = mkdtempSync(join(tmpdir(), 'latstream-webgpu-'));
  let count = 0;
  const executor = webgpuExecutor({ threads, profile: () => join(folder, `program-${count++}`) });
  return { executor, offDevice: () => offDevice(folder) };
}

interface ProfileEvent {
  readonly cat: string;
  readonly args?: { readonly op_name?: string; readonly provider?: string };
}

function offDevice(folder: string): string[] {
  const files = readdirSync(folder).map((file) => readFileSync(join(folder, file), 'utf8'));
  rmSync(folder, { recursive: true, force: true });
  const nodes = files.flatMap((text) =>
    (JSON.parse(text) as ProfileEvent[]).flatMap(({ cat, args }) =>
      cat === 'Node' && args?.provider !== undefined ? [args] : [],
    ),
  );
  if (nodes.length === 0) throw new Error('no node was profiled');
  const off = nodes.filter(
    ({ op_name = '', provider }) => provider !== 'WebGpuExecutionProvider' || op_name.startsWith('Memcpy'),
  );
  return [...new Set(off.map(({ op_name, provider }) => `${op_name} on ${provider}`))];
}
