/**
 * @file Builds the addon of `@tensorflow/tfjs-node` against a TensorFlow that is on this machine, where the package's
 * installer cannot download its own. The addon speaks TensorFlow's C API, which stays from version to version.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { basename, join, resolve } from 'node:path';
import { complain } from '../../foundation/index.js';
import { attempt as attemptHere, type Attempt } from '../machine/attempt.js';
import { diagnose } from '../machine/diagnosis.js';
import { thisMachine } from '../machine/machine.js';
import type { SmallStep } from '../machine/small-step.js';
import { findBuildTools, type BuildTools } from './build-tools.js';
import { findTensorflow, type Tensorflow } from './tensorflow.js';

export interface TfjsNodeRequest {
  /** See {@link findTensorflow}. */
  readonly tensorflow: string;
  /** The package's folder: by default what `LATSTREAM_TFJS_NODE` names, or the one installed beside latstream. */
  readonly folder?: string | undefined;
  /** An installation of Node with headers: by default the one that runs. */
  readonly nodedir?: string | undefined;
  /** Tries what was built: a small step in a process of its own, if not given. */
  readonly attempt?: (folder: string) => Promise<Attempt>;
}

/** What was built against what, and how it did. */
export interface TfjsNodeBuilt {
  readonly folder: string;
  readonly library: string;
  readonly step: SmallStep;
}

/**
 * Lays out the package's `deps/` (links: TensorFlow must stay where it is), builds, and tries the result.
 * @throws EXECUTOR_BUILD what is missing, or what went wrong.
 */
export async function buildTfjsNode(request: TfjsNodeRequest): Promise<TfjsNodeBuilt> {
  if (process.platform !== 'linux') fail('Linux', process.platform, 'npm rebuild @tensorflow/tfjs-node');
  const tensorflow = findTensorflow(resolve(request.tensorflow));
  const folder = findPackage(request.folder);
  const tools = findBuildTools(request.nodedir);
  layOut(folder, tensorflow);
  build(folder, tools);
  const tried = await (request.attempt ?? tryPackage)(folder);
  const { runs, because, step } = diagnose('tfjs', thisMachine(), tried);
  if (!runs || !step) fail('an addon that computes', because, 'another version of TensorFlow may do');
  return { folder, library: tensorflow.library, step };
}

function findPackage(named = process.env['LATSTREAM_TFJS_NODE']): string {
  const folder = named ? resolve(named) : installed();
  if (folder && existsSync(join(folder, 'binding.gyp')) && existsSync(join(folder, 'package.json')))
    return folder;
  return fail(
    'the package @tensorflow/tfjs-node, without its library',
    folder ? `${folder}, which has no binding.gyp` : 'none beside latstream',
    'npm install --ignore-scripts @tensorflow/tfjs-node, and name its folder by --package where it is elsewhere',
  );
}

function installed(): string | undefined {
  try {
    return resolve(createRequire(import.meta.url).resolve('@tensorflow/tfjs-node/package.json'), '..');
  } catch {
    return undefined;
  }
}

/** The names that the package's build links against, and those that its libraries look for each other by. */
function layOut(folder: string, { headers, library, framework }: Tensorflow): void {
  const deps = join(folder, 'deps');
  rmSync(deps, { recursive: true, force: true });
  mkdirSync(join(deps, 'lib'), { recursive: true });
  symlinkSync(headers, join(deps, 'include'));
  for (const [path, plain] of [
    [library, 'libtensorflow.so'],
    [framework, 'libtensorflow_framework.so'],
  ] as const)
    for (const name of new Set([plain, basename(path), `${plain}.2`]))
      symlinkSync(path, join(deps, 'lib', name));
}

function build(folder: string, { nodedir, nodeGyp }: BuildTools): void {
  const version = napiVersion(folder);
  const options = [
    `--nodedir=${nodedir}`,
    '--module_name=tfjs_binding',
    `--module_path=${join(folder, 'lib', `napi-v${version}`)}`,
    `--napi_version=${process.versions['napi']}`,
    `--napi_build_version=${version}`,
  ];
  const args = [nodeGyp, 'rebuild', ...options];
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { cwd: folder, encoding: 'utf8' });
  if (status === 0) return;
  const log = join(folder, 'build-failed.log');
  writeFileSync(log, `${stdout}\n${stderr}`);
  const line = stderr.split('\n').find((each) => /error/i.test(each)) ?? `exit code ${status}`;
  fail('an addon that builds', line.trim(), `${log} has all that node-gyp said`);
}

/** The newest of the interface's versions that both the package and this Node know: where the package looks for its addon. */
function napiVersion(folder: string): number {
  const { binary } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as {
    readonly binary?: { readonly napi_versions?: readonly number[] };
  };
  return Math.max(
    ...(binary?.napi_versions ?? []).filter((each) => each <= Number(process.versions['napi'])),
  );
}

function tryPackage(folder: string): Promise<Attempt> {
  return attemptHere({ executor: 'tfjs', threads: 1, device: 0 }, { LATSTREAM_TFJS_NODE: folder });
}

function fail(expected: string, got: string, hint: string): never {
  return complain({ code: 'EXECUTOR_BUILD', owner: 'tfjs-node', expected, got, hint });
}
