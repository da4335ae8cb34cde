/** @file What is said of tools that are not there; installations are made up here. */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { findBuildTools } from '../../../engine/tfjs-node/build-tools.js';

let root: string;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'latstream-tools-'));
  const [major = ''] = process.versions.node.split('.');
  await installation('right', major);
  await installation('wrong', '12');
  for (const program of ['g++', 'make', 'python3', 'npm'])
    await writeFile(join(root, program), '', { mode: 0o755 });
  await writeFile(join(root, 'node-gyp.js'), '');
});
afterAll(() => rm(root, { recursive: true }));

async function installation(name: string, major: string): Promise<void> {
  const include = join(root, name, 'include/node');
  await mkdir(include, { recursive: true });
  await writeFile(join(include, 'common.gypi'), '{}');
  await writeFile(join(include, 'node_version.h'), `#define NODE_MAJOR_VERSION ${major}\n`);
}

const env = (more: Readonly<Record<string, string>> = {}) => ({
  PATH: root,
  npm_config_node_gyp: join(root, 'node-gyp.js'),
  ...more,
});

describe('findBuildTools', () => {
  it('takes headers of the Node that runs from where they are named, node-gyp from npm', () => {
    const found = { nodedir: join(root, 'right'), nodeGyp: join(root, 'node-gyp.js') };
    expect(findBuildTools(join(root, 'right'), env())).toEqual(found);
    expect(findBuildTools(undefined, env({ npm_config_nodedir: join(root, 'right') }))).toEqual(found);
  });

  it.each([
    ['wrong', /got .*wrong\/include\/node: Node 12; .*--nodedir/],
    ['nowhere', /got .*nowhere\/include\/node: none; .*libnode-dev/],
  ])('does not take those of another Node, nor none: %s', (name, message) => {
    expect(() => findBuildTools(join(root, name), env())).toThrow(message);
  });

  it('names each tool that is missing, and how to install it', () => {
    expect(() => findBuildTools(join(root, 'right'), env({ PATH: '/nowhere' }))).toThrow(
      /got g\+\+, make, python3; apt-get install/,
    );
    expect(() => findBuildTools(join(root, 'right'), env({ CXX: 'clang-99' }))).toThrow(/got clang-99;/);
  });
});
