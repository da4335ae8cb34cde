/** @file What of a machine decides which executors can run on it. Looks, and starts nothing. */
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { availableParallelism, totalmem } from 'node:os';
import { delimiter, dirname, join, resolve } from 'node:path';

/** Facts as data, so that a diagnosis can be tried on any machine. */
export interface Machine {
  readonly platform: NodeJS.Platform;
  readonly arch: string;
  readonly node: string;
  /** Cores that this process may use, and bytes of memory. */
  readonly cores: number;
  readonly memory: number;
  /** False where a Linux has another C library than glibc, which the runtime is built for. */
  readonly glibc: boolean;
  /** Version of onnxruntime-node, and the folder that its libraries are in. */
  readonly runtime: { readonly version: string; readonly folder: string };
  /** Which of {@link LIBRARIES} the dynamic linker can find. */
  readonly libraries: readonly string[];
  /** Files beside the runtime's library that make the CUDA provider: all, or it is not installed. */
  readonly cudaProvider: boolean;
  /** Descriptions of Vulkan drivers, as paths. */
  readonly vulkanDrivers: readonly string[];
  /** Graphics devices that the kernel has, as paths; what NVIDIA's kernel driver says of itself. */
  readonly graphics: readonly string[];
  readonly nvidiaDriver: string | undefined;
  /** Versions of packages that are the user's to install: those that tfjs could use, and koffi. */
  readonly packages: Readonly<Record<string, string | undefined>>;
}

/** What GPUs are reached through on Linux. */
export const LIBRARIES = ['libvulkan.so.1', 'libcuda.so.1', 'libcudnn.so.9'] as const;
const CUDA_PROVIDER = ['libonnxruntime_providers_cuda.so', 'libonnxruntime_providers_shared.so'];
const PACKAGES = ['@tensorflow/tfjs-node-gpu', '@tensorflow/tfjs-node'];

/** This machine. */
export function thisMachine(): Machine {
  const { platform, arch } = process;
  const folder = runtimeFolder();
  return {
    platform,
    arch,
    node: process.version,
    cores: availableParallelism(),
    memory: totalmem(),
    glibc: platform !== 'linux' || glibcVersion() !== undefined,
    runtime: { version: packageVersion('onnxruntime-node') ?? 'none', folder },
    libraries: platform === 'linux' ? findLibraries() : [],
    cudaProvider: CUDA_PROVIDER.every((file) => existsSync(join(folder, file))),
    vulkanDrivers: platform === 'linux' ? vulkanDrivers() : [],
    graphics: ['/dev/nvidia0', ...inFolder('/dev/dri').filter((path) => /renderD/.test(path))].filter(
      existsSync,
    ),
    nvidiaDriver: firstLine('/proc/driver/nvidia/version'),
    packages: { ...tfjsPackages(), koffi: packageVersion('koffi') },
  };
}

const require = createRequire(import.meta.url);

function runtimeFolder(): string {
  const { platform, arch } = process;
  try {
    return join(dirname(require.resolve('onnxruntime-node/package.json')), 'bin/napi-v6', platform, arch);
  } catch {
    return '';
  }
}

function packageVersion(name: string): string | undefined {
  return versionIn(`${name}/package.json`);
}

/** By the folder that the user names, or beside latstream. */
function tfjsPackages(): Machine['packages'] {
  const named = process.env['LATSTREAM_TFJS_NODE'];
  if (named) return { [named]: versionIn(resolve(named, 'package.json')) };
  return Object.fromEntries(PACKAGES.map((name) => [name, packageVersion(name)]));
}

function versionIn(manifest: string): string | undefined {
  try {
    return (require(manifest) as { version: string }).version;
  } catch {
    return undefined;
  }
}

function glibcVersion(): string | undefined {
  const { header } = process.report.getReport() as { header: { glibcVersionRuntime?: string } };
  return header.glibcVersionRuntime;
}

/** By the linker's cache, its variable, and the folders that it always looks into. */
function findLibraries(): string[] {
  const folders = [
    ...(process.env['LD_LIBRARY_PATH'] ?? '').split(delimiter),
    ...[
      '/usr/lib/x86_64-linux-gnu',
      '/usr/lib/aarch64-linux-gnu',
      '/usr/lib64',
      '/usr/lib',
      '/lib64',
      '/lib',
    ],
  ].filter((folder) => folder !== '');
  const cached = linkerCache();
  return LIBRARIES.filter(
    (name) => cached.includes(name) || folders.some((folder) => existsSync(join(folder, name))),
  );
}

function linkerCache(): string {
  for (const program of ['ldconfig', '/sbin/ldconfig'])
    try {
      return execFileSync(program, ['-p'], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
    } catch {
      // A machine without it is looked through by folders alone.
    }
  return '';
}

function vulkanDrivers(): string[] {
  const named = process.env['VK_DRIVER_FILES'] ?? process.env['VK_ICD_FILENAMES'];
  if (named !== undefined) return named.split(delimiter).filter(existsSync);
  const home = process.env['HOME'] ?? '';
  return ['/usr/share', '/usr/local/share', '/etc', join(home, '.local/share')]
    .flatMap((root) => inFolder(join(root, 'vulkan/icd.d')))
    .filter((path) => path.endsWith('.json'));
}

function inFolder(folder: string): string[] {
  try {
    return readdirSync(folder).map((name) => join(folder, name));
  } catch {
    return [];
  }
}

function firstLine(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8').split('\n')[0];
  } catch {
    return undefined;
  }
}
