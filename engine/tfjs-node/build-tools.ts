/** @file What an addon of Node is built with, as it is on this machine: node-gyp would download headers, and is not let. */
import { accessSync, constants, existsSync, readFileSync, realpathSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { complain } from '../../foundation/index.js';

/** Absolute paths. */
export interface BuildTools {
  /** The installation whose `include/node` has the headers of the Node that runs. */
  readonly nodedir: string;
  /** The script of node-gyp. */
  readonly nodeGyp: string;
}

/** What npm, too, takes these from. */
type Environment = Readonly<Record<string, string | undefined>>;

/**
 * @param nodedir an installation of Node, where its headers are not beside the Node that runs.
 * @throws EXECUTOR_BUILD which says what is missing, and where it was looked for.
 */
export function findBuildTools(nodedir?: string, env: Environment = process.env): BuildTools {
  const absent = [env['CXX'] ?? 'g++', env['MAKE'] ?? 'make', env['npm_config_python'] ?? 'python3'].filter(
    (name) => whereIs(name, env) === undefined,
  );
  if (absent.length > 0)
    missing(absent.join(', '), 'a C++ compiler, make and Python', 'apt-get install g++ make python3');
  return { nodedir: findHeaders(nodedir, env), nodeGyp: findNodeGyp(env) };
}

function findHeaders(named: string | undefined, env: Environment): string {
  const beside = dirname(dirname(process.execPath));
  const candidates = named ? [named] : [env['npm_config_nodedir'] ?? beside, beside, '/usr/local', '/usr'];
  const [major = ''] = process.versions.node.split('.');
  const places = candidates.map((folder) => [folder, headersIn(folder)] as const);
  const found = places.find(([, version]) => version === major);
  if (found) return found[0];
  const seen = places.map(
    ([folder, version]) => `${folder}/include/node: ${version ? `Node ${version}` : 'none'}`,
  );
  return missing(
    [...new Set(seen)].join(', '),
    `the headers of Node ${major}`,
    'take Node from nodejs.org, whose archive has them (or apt-get install libnode-dev), and name its folder by --nodedir',
  );
}

/** The major version of the headers in an installation. */
function headersIn(folder: string): string | undefined {
  try {
    if (!existsSync(join(folder, 'include/node/common.gypi'))) return undefined;
    const text = readFileSync(join(folder, 'include/node/node_version.h'), 'utf8');
    return /define NODE_MAJOR_VERSION (\d+)/.exec(text)?.[1];
  } catch {
    return undefined;
  }
}

/** By npm's own variable, or inside npm. */
function findNodeGyp(env: Environment): string {
  const npm = whereIs('npm', env);
  const beside = join(dirname(dirname(process.execPath)), 'lib/node_modules/npm');
  const folders = [...(npm ? [dirname(dirname(realpathSync(npm)))] : []), beside];
  const scripts = folders.map((folder) => join(folder, 'node_modules/node-gyp/bin/node-gyp.js'));
  const candidates = [...(env['npm_config_node_gyp'] ? [env['npm_config_node_gyp']] : []), ...scripts];
  return (
    candidates.find((path) => existsSync(path)) ??
    missing(
      `none at ${candidates.join(', ')}`,
      'node-gyp, which is inside npm',
      'name it in npm_config_node_gyp',
    )
  );
}

function whereIs(program: string, env: Environment): string | undefined {
  const folders = program.includes('/') ? [''] : (env['PATH'] ?? '').split(delimiter);
  return folders.map((folder) => join(folder, program)).find(isExecutable);
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

function missing(got: string, expected: string, hint: string): never {
  return complain({ code: 'EXECUTOR_BUILD', owner: 'tfjs-node', expected, got, hint });
}
