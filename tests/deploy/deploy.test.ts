/** @file What deploy/ says is so: commands, flags, paths and figures of the unit, the container file and their README. */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { program } from '../../commands/index.js';
import { DEFAULTS } from '../../daemon/config.js';
import { USUAL_PORT } from '../../daemon/daemon.js';

const read = (path: string): string => readFileSync(path, 'utf8');
const [unit, container, readme] = ['latstream.service', 'Containerfile', 'README.md'].map((name) =>
  read(join('deploy', name)),
) as [string, string, string];
const manifest = JSON.parse(read('package.json')) as { readonly files: readonly string[] };

/** The only value of a key of the unit. */
function setting(key: string): string {
  const found = unit.split('\n').filter((line) => line.startsWith(`${key}=`));
  expect(found, key).toHaveLength(1);
  return found[0]!.slice(key.length + 1);
}

const { commands } = await program('0');

/** Options of a command, `--like-this`. */
function optionsOf(command: string): string[] {
  const found = commands.find((each) => each.name() === command);
  expect(found, command).toBeDefined();
  return found!.options.flatMap(({ long }) => (long ? [long] : []));
}

function isKnown(words: readonly string[]): void {
  const [command = '', ...rest] = words;
  const flags = rest.filter((word) => word.startsWith('--')).map((word) => word.split('=')[0]);
  expect(optionsOf(command)).toEqual(expect.arrayContaining(flags));
}

describe('the unit', () => {
  it('starts a daemon with flags that it has, in the directory that the unit makes', () => {
    const [binary, ...words] = setting('ExecStart').split(' ');
    expect(binary).toBe('/usr/local/bin/latstream');
    isKnown(words);
    expect(words[words.indexOf('--state') + 1]).toBe('${STATE_DIRECTORY}');
    expect(words[words.indexOf('--port') + 1]).toBe(String(USUAL_PORT));
    expect(readme).toContain(`--state /var/lib/${setting('StateDirectory')}`);
  });

  it('waits for longer than runs may take to save, and tells only the daemon', () => {
    expect(Number(setting('TimeoutStopSec'))).toBeGreaterThan(DEFAULTS.graceSeconds);
    expect(setting('KillMode')).toBe('mixed');
    expect(setting('ExecReload')).toBe('/bin/kill -HUP $MAINPID');
    // Nothing tells a watchdog that the daemon lives.
    expect(unit).not.toMatch(/^(WatchdogSec|Type=notify)/m);
  });

  const analyze = spawnSync('systemd-analyze', ['--version']);
  const missing = analyze.status !== 0;
  if (missing) console.warn('skipped: systemd-analyze is not installed');
  it.skipIf(missing)('is understood by systemd', () => {
    const directory = mkdtempSync(join(tmpdir(), 'latstream-unit-'));
    try {
      const path = join(directory, 'latstream.service');
      writeFileSync(path, unit.replace('/usr/local/bin/latstream', '/bin/true')); // which need not be installed here
      const { status, stderr } = spawnSync('systemd-analyze', ['verify', '--man=no', path], {
        encoding: 'utf8',
      });
      const ours = stderr.split('\n').filter((line) => line.includes('latstream'));
      expect({ status, ours }).toEqual({ status: 0, ours: [] });
    } finally {
      rmSync(directory, { recursive: true });
    }
  });
});

describe('the container file', () => {
  const json = (instruction: string): string[] => {
    const lines = container.replaceAll(/\\\n\s*/g, '').split('\n');
    const line = lines.find((each) => each.startsWith(`${instruction} `) && each.includes('['))!;
    return JSON.parse(line.slice(line.indexOf('['))) as string[];
  };

  it('starts a daemon with flags that it has, where its state is kept, and asks after its health there', () => {
    expect(json('ENTRYPOINT')).toEqual(['latstream']);
    const words = json('CMD');
    isKnown(words);
    expect(container).toContain(`VOLUME ${words[words.indexOf('--state') + 1]}`);
    expect(container).toContain(`EXPOSE ${words[words.indexOf('--port') + 1]}`);
    expect(json('HEALTHCHECK').at(-1)).toContain(
      `http://127.0.0.1:${words[words.indexOf('--port') + 1]}/healthz`,
    );
    expect(container).toMatch(/^USER node$/m);
    expect(container).toMatch(/^STOPSIGNAL SIGTERM$/m);
  });

  it('copies what is there, and everything that the package ships', () => {
    const copies = [...container.matchAll(/^COPY (?!--from)(.+)$/gm)].map(([, words]) => words!.split(' '));
    const sources = copies.flatMap((words) => words.slice(0, -1));
    expect(sources.filter((path) => !existsSync(path))).toEqual([]);
    const shipped = manifest.files.filter((path) => !path.startsWith('!') && path !== 'dist');
    expect(sources).toEqual(expect.arrayContaining(shipped));
    expect(container).toContain('COPY --from=build /src/dist dist');
  });
});

describe('the README', () => {
  it('names commands and flags that there are', () => {
    const commands = [...readme.matchAll(/latstream (runs|daemon|doctor)((?: --?[\w-]+| [\w/.-]+)*)/g)];
    expect(commands.length).toBeGreaterThan(2);
    for (const [, name, rest] of commands) isKnown([name!, ...rest!.trim().split(' ')]);
    const daemon = optionsOf('daemon');
    for (const flag of ['--token-file', '--view-token-file', '--tls-cert', '--tls-key', '--allow-host']) {
      expect(readme).toContain(flag);
      expect(daemon).toContain(flag);
    }
    expect(optionsOf('runs')).toContain('--ca');
  });

  it('names metrics that there are', () => {
    const served = read('daemon/prometheus.ts');
    for (const [name] of readme.matchAll(/latstream_[a-z_]+/g)) expect(served).toContain(`'${name}'`);
  });
});
