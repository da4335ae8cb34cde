/** @file The build against a TensorFlow that is on the machine: here a made-up one of a single function, and a package of its kind. */
import { execFileSync } from 'node:child_process';
import { mkdir, mkdtemp, readFile, realpath, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { buildTfjsNode } from '../../../engine/index.js';
import type { Attempt } from '../../../engine/machine/attempt.js';
import { findBuildTools } from '../../../engine/tfjs-node/build-tools.js';
import { findTensorflow } from '../../../engine/tfjs-node/tensorflow.js';

const cannot = ((): string | undefined => {
  try {
    findBuildTools();
    return process.platform === 'linux' ? undefined : 'no Linux';
  } catch (error) {
    return (error as Error).message;
  }
})();
if (cannot !== undefined) process.stdout.write(`builds of tfjs-node skipped: ${cannot}\n`);

let root: string;
beforeEach(async () => {
  root = await realpath(await mkdtemp(join(tmpdir(), 'latstream-tfjs-node-')));
});
afterEach(() => rm(root, { recursive: true }));

const ran = (name: string, error = 1e-6): Attempt => ({
  end: 'ran',
  name,
  milliseconds: 2,
  firstMilliseconds: 50,
  error,
});

/** Headers, and where asked libraries that a linker takes. @param at of the libraries below the folder. */
async function madeUpTensorflow(folder: string, library: string, compiled: boolean, at = ''): Promise<void> {
  const api = join(folder, 'include/tensorflow/c');
  await mkdir(join(api, 'eager'), { recursive: true });
  await mkdir(join(folder, at), { recursive: true });
  await writeFile(join(api, 'c_api.h'), 'extern "C" const char* TF_Version(void);\n');
  await writeFile(join(api, 'eager/c_api.h'), '');
  const framework = 'libtensorflow_framework.so.2';
  for (const [name, source] of [
    [library, 'extern "C" const char* TF_Version(void) { return "2.99.0"; }'],
    [framework, 'extern "C" int TF_Nothing(void) { return 0; }'],
  ] as const) {
    const path = join(folder, at, name);
    await writeFile(`${path}.cc`, source);
    if (compiled) execFileSync('g++', ['-shared', '-fPIC', `-Wl,-soname,${name}`, '-o', path, `${path}.cc`]);
    else await writeFile(path, '');
  }
}

/** A package that is built as `@tensorflow/tfjs-node` is: by these variables, from these places. */
async function madeUpPackage(source: string): Promise<string> {
  const folder = join(root, 'package');
  await mkdir(folder);
  const binary = { napi_versions: [3, 6, 8, 99] };
  await writeFile(
    join(folder, 'package.json'),
    JSON.stringify({ name: 'made-up', version: '4.22.0', binary }),
  );
  await writeFile(join(folder, 'addon.cc'), source);
  const gyp = {
    targets: [
      {
        target_name: 'tfjs_binding',
        sources: ['addon.cc'],
        include_dirs: ['<(module_root_dir)/deps/include'],
        library_dirs: ['<(module_root_dir)/deps/lib'],
        libraries: ["-Wl,-rpath,'$$ORIGIN/../../deps/lib'", '-ltensorflow', '-ltensorflow_framework'],
        defines: ['NAPI_VERSION=<(napi_build_version)'],
      },
      {
        target_name: 'action_after_build',
        type: 'none',
        dependencies: ['<(module_name)'],
        copies: [{ files: ['<(PRODUCT_DIR)/<(module_name).node'], destination: '<(module_path)' }],
      },
    ],
  };
  await writeFile(join(folder, 'binding.gyp'), JSON.stringify(gyp));
  return folder;
}

const ADDON = `
#include <node_api.h>
#include "tensorflow/c/c_api.h"
static napi_value Init(napi_env env, napi_value exports) {
  napi_value version;
  napi_create_string_utf8(env, TF_Version(), NAPI_AUTO_LENGTH, &version);
  napi_set_named_property(env, exports, "version", version);
  return exports;
}
NAPI_MODULE(tfjs_binding, Init)
`;

describe('findTensorflow', () => {
  it.each([
    ['an unpacked wheel', 'tensorflow', 'libtensorflow_cc.so.2', ''],
    ['a C distribution', '', 'libtensorflow.so.2', 'lib'],
    ['an environment of Python', 'lib/python3.11/site-packages/tensorflow', 'libtensorflow_cc.so.2', ''],
  ])('finds headers and libraries in %s', async (_, place, library, at) => {
    const folder = join(root, place);
    await madeUpTensorflow(folder, library, false, at);
    expect(findTensorflow(root)).toEqual({
      headers: join(folder, 'include'),
      library: join(folder, at, library),
      framework: join(folder, at, 'libtensorflow_framework.so.2'),
    });
  });

  it('refuses a folder without, and says how to get one', () => {
    expect(() => findTensorflow(root)).toThrow(/which has not all of them; pip download.*tensorflow-cpu/);
    expect(() => findTensorflow('/nowhere')).toThrow(/\/nowhere, which does not exist/);
  });
});

describe.skipIf(cannot !== undefined)('buildTfjsNode', () => {
  const build = (folder: string, attempt: Attempt = ran('tfjs-node')) =>
    buildTfjsNode({ tensorflow: join(root, 'tf'), folder, attempt: () => Promise.resolve(attempt) });

  it.each([
    ['libtensorflow_cc.so.2', ''],
    ['libtensorflow.so.2', 'lib'],
  ])('builds an addon that finds %s, for the newest interface that both sides know', async (library, at) => {
    await madeUpTensorflow(join(root, 'tf'), library, true, at);
    const folder = await madeUpPackage(ADDON);
    const built = await build(folder);
    expect(built).toMatchObject({
      folder,
      library: join(root, 'tf', at, library),
      step: { name: 'tfjs-node' },
    });
    const addon = createRequire(import.meta.url)(join(folder, 'lib/napi-v8/tfjs_binding.node')) as object;
    expect(addon).toEqual({ version: '2.99.0' });
  });

  it('says what the compiler complained of, and where the rest is', async () => {
    await madeUpTensorflow(join(root, 'tf'), 'libtensorflow_cc.so.2', true);
    const folder = await madeUpPackage(`${ADDON}\n#error not for this TensorFlow\n`);
    await expect(build(folder)).rejects.toMatchObject({
      code: 'EXECUTOR_BUILD',
      message: expect.stringMatching(/not for this TensorFlow.*build-failed\.log/) as string,
    });
    expect(await readFile(join(folder, 'build-failed.log'), 'utf8')).toContain('gyp ERR!');
  });

  it('does not pass off as done what ends its process', async () => {
    await madeUpTensorflow(join(root, 'tf'), 'libtensorflow_cc.so.2', true);
    const died = { end: 'died', how: 'SIGSEGV', said: '' } as const;
    await expect(build(await madeUpPackage(ADDON), died)).rejects.toThrow(/ended by SIGSEGV/);
  });

  it('asks for the package where there is none', async () => {
    await madeUpTensorflow(join(root, 'tf'), 'libtensorflow_cc.so.2', false);
    await expect(build(join(root, 'nothing'))).rejects.toThrow(
      /no binding.gyp; npm install --ignore-scripts/,
    );
  });
});
