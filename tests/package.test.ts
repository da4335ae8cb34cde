/**
 * @file Guards package.json, .npmrc and the lock file: exact versions, nothing fetched at install, no registry named; and
 * what the package exports once it is built and packed. Needs `npm run build`, which `npm test` does first.
 */
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';

interface Manifest {
  readonly engines: Readonly<Record<string, string>>;
  readonly scripts: Readonly<Record<string, string>>;
  readonly dependencies: Readonly<Record<string, string>>;
  readonly devDependencies: Readonly<Record<string, string>>;
  readonly peerDependencies: Readonly<Record<string, string>>;
  readonly peerDependenciesMeta: Readonly<Record<string, { readonly optional?: boolean }>>;
  readonly exports: Readonly<Record<string, Readonly<Record<'types' | 'default', string>>>>;
}

interface Locked {
  readonly version?: string;
  readonly resolved?: string;
  readonly integrity?: string;
  readonly hasInstallScript?: boolean;
}

const read = (path: string): string => readFileSync(path, 'utf8');
const manifest = JSON.parse(read('package.json')) as Manifest;
const lock = JSON.parse(read('package-lock.json')) as { readonly packages: Readonly<Record<string, Locked>> };
const locked = Object.entries(lock.packages).filter(([path]) => path !== '');
const npmrc = new Map(
  read('.npmrc')
    .split('\n')
    .filter((line) => line.includes('=') && !/^[#;]/.test(line))
    .map((line) => line.split(/=(.*)/).slice(0, 2) as [string, string]),
);

describe('package.json', () => {
  it.each(Object.entries({ ...manifest.dependencies, ...manifest.devDependencies }))(
    '%s is pinned to one exact version, and locked to it (%s)',
    (name, version) => {
      expect(version).toMatch(/^\d+\.\d+\.\d+(-[\w.]+)?$/);
      expect(lock.packages[`node_modules/${name}`]?.version).toBe(version);
    },
  );

  it('runs nothing when it is installed', () => {
    const hooks = ['preinstall', 'install', 'postinstall', 'prepare', 'prepublish'];
    expect(hooks.filter((hook) => hook in manifest.scripts)).toEqual([]);
  });

  it('needs Node 20.19 or later and refuses an older one', () => {
    expect(manifest.engines).toEqual({ node: '>=20.19' });
    expect(npmrc.get('engine-strict')).toBe('true');
  });

  it('starts and tests the built program, with no TypeScript runner', () => {
    expect(manifest.scripts['prestart']).toContain('build');
    expect(manifest.scripts['pretest']).toContain('build');
    expect(manifest.scripts['start']).toMatch(/^node dist\//);
    const all = { ...manifest.dependencies, ...manifest.devDependencies };
    expect(Object.keys(all).filter((name) => /^(tsx|ts-node|esbuild-register)$/.test(name))).toEqual([]);
  });
});

const execute = promisify(execFile);

describe('the package', () => {
  it('packs what it exports, and neither tests nor benchmarks', async () => {
    const { stdout } = await execute('npm', ['pack', '--dry-run', '--json', '--ignore-scripts']);
    const [{ files }] = JSON.parse(stdout) as [{ files: { path: string }[] }];
    const packed = new Set(files.map(({ path }) => `./${path}`));
    const targets = Object.values(manifest.exports).flatMap((entry) => [entry.types, entry.default]);
    expect(targets.filter((path) => !packed.has(path))).toEqual([]);
    expect([...packed].filter((path) => /^\.\/dist\/(tests|bench)\//.test(path))).toEqual([]);
  });

  it.each([
    ['latstream', 'createAttack'],
    ['latstream/testing', 'attackProperties'],
  ])('is imported by name in plain Node: %s', async (name, value) => {
    const program = `import { ${value} } from '${name}'; console.log(typeof ${value})`;
    const { stdout } = await execute(process.execPath, ['--input-type=module', '--eval', program]);
    expect(stdout.trim()).toBe('function');
  });

  it('asks for fast-check of those only who test with it, for koffi of those with CUDA', () => {
    for (const name of ['fast-check', 'koffi']) {
      expect(manifest.peerDependencies[name]).toBe(`^${manifest.devDependencies[name]}`);
      expect(manifest.peerDependenciesMeta[name]).toEqual({ optional: true });
      expect(manifest.dependencies).not.toHaveProperty(name);
    }
    expect(Object.keys(manifest.peerDependencies)).toHaveLength(2);
  });
});

describe('the lock file', () => {
  it('has install scripts only where they are known to fetch nothing', () => {
    // A banner, a version check, a macOS prebuild; looks for the package of their platform.
    const harmless = ['core-js', 'protobufjs', 'fsevents', 'koffi', 'msgpackr-extract'];
    const skipped = ['onnxruntime-node']; // would fetch CUDA libraries: switched off in .npmrc
    const scripted = locked.filter(([, entry]) => entry.hasInstallScript);
    const names = new Set(scripted.map(([path]) => path.replace(/^.*node_modules\//, '')));
    expect([...names].filter((name) => ![...harmless, ...skipped].includes(name))).toEqual([]);
    expect(npmrc.get('onnxruntime-node-install')).toBe('skip');
  });

  it('names no registry, so that any mirror serves it', () => {
    expect(locked.filter(([, entry]) => entry.resolved !== undefined).map(([path]) => path)).toEqual([]);
    expect(npmrc.get('omit-lockfile-registry-resolved')).toBe('true');
    expect([...npmrc.keys()].filter((key) => key.includes('registry') && !key.startsWith('omit'))).toEqual(
      [],
    );
  });

  it('pins the content of every package', () => {
    expect(locked.filter(([, entry]) => !entry.integrity).map(([path]) => path)).toEqual([]);
  });
});
