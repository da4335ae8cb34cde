/** @file Commands that documents name have the options that they are given there; those for a card are tried without one. */
import { execFile, spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { promisify } from 'node:util';
import { Command } from 'commander';
import { beforeAll, describe, expect, it } from 'vitest';
import { addComparisons } from '../bench/comparisons.js';
import { addMeasurements } from '../bench/measurements.js';
import { addPeerSetting, peerArgs, settingsOf, type PeerOptions } from '../bench/peer.js';
import { readShapes } from '../bench/shapes.js';
import { program } from '../commands/index.js';
import { EXECUTORS } from '../engine/index.js';
import { scratch } from './helpers/cli.js';
import { documented, noBash } from './helpers/documented.js';

const { path } = scratch();
const TABLE = ['docs/accelerators.md', '### The table on a card'] as const;
const tiny = 'bench/configs/tiny.json';

/** Reads command lines and does nothing. */
function idle(root: Command): Command {
  for (const command of root.commands) idle(command);
  return root.commands.length === 0 ? root.action(() => undefined) : root;
}

let latstream: Command;
let bench: Command;
beforeAll(async () => {
  latstream = idle(await program('0', { json: true }));
  bench = new Command('bench').exitOverride().configureOutput({ writeErr: () => undefined });
  addComparisons(bench, '.');
  addMeasurements(bench, '.');
  idle(bench);
});

/** What follows `npm run bench --` or `npx latstream`; undefined for other commands. */
const after = (words: readonly string[], ...first: readonly string[]): readonly string[] | undefined =>
  first.every((word, at) => words[at] === word) ? words.slice(first.length) : undefined;

/** Whether a command line is one that is known, and all that it names is there. */
async function understood(words: readonly string[]): Promise<void> {
  const [ours, measured] = [after(words, 'npx', 'latstream'), after(words, 'npm', 'run', 'bench', '--')];
  if (ours) await latstream.parseAsync(ours, { from: 'user' });
  if (measured) {
    await bench.parseAsync(measured, { from: 'user' });
    measured.filter((word) => word.endsWith('.json')).forEach((config) => readShapes(config));
  }
  const [script] = after(words, 'npm', 'run') ?? [];
  const { scripts } = JSON.parse(readFileSync('package.json', 'utf8')) as { scripts: Record<string, string> };
  if (script !== undefined) expect(Object.keys(scripts)).toContain(script);
  const [file, option, name = ''] = after(words, 'npx', 'vitest', 'run') ?? [];
  if (file === undefined) return;
  expect([file, option]).toEqual([file, '-t']);
  expect(existsSync(file)).toBe(true);
  expect(EXECUTORS.map((executor) => `lat on ${executor}`)).toContain(name);
  expect(readFileSync(file, 'utf8')).toContain('describe(`lat on ${executor}`');
}

describe.skipIf(noBash !== undefined)('the commands of', () => {
  it.each(['README.md', 'docs/accelerators.md', 'docs/fleet.md', 'deploy/README.md'])(
    '%s are understood, option by option',
    async (document) => {
      const commands = documented(document);
      expect(commands.length).toBeGreaterThan(0);
      for (const words of commands)
        await understood(words).catch((error: unknown) => {
          throw new Error(words.join(' '), { cause: error });
        });
    },
  );

  it('a document with a typing error are not', async () => {
    await expect(understood(['npx', 'latstream', 'doctor', '--jsn'])).rejects.toThrow(/--jsn/);
    await expect(
      understood(['npm', 'run', 'bench', '--', 'compare', '--peer-precision', 'fp8']),
    ).rejects.toThrow();
    await expect(
      understood(['npm', 'run', 'bench', '--', 'soak', '--steps', '1', 'none.json']),
    ).rejects.toThrow();
  });
});

describe.skipIf(noBash !== undefined)('the table on a card', () => {
  /** On this machine's CPU, and as small as can be. */
  const small = (words: readonly string[]): string[] => {
    const value: Readonly<Record<string, string>> = {
      '--executor': 'onnxruntime',
      '--peer-device': 'cpu',
      '--pairs': '1',
      '--steps': '2',
    };
    const configs = words.filter((word) => word.endsWith('.json'));
    const changed = words.map((word, at) => value[words[at - 1] ?? ''] ?? word);
    return [...changed.filter((word) => !configs.includes(word)), tiny];
  };

  it('names CUDA and WebGPU, and configurations that are measured', () => {
    const commands = documented(...TABLE).map((words) => words.join(' '));
    for (const executor of ['cuda', 'webgpu'])
      expect(commands.filter((words) => words.includes(`--executor ${executor} `))).toHaveLength(2);
    expect(commands.filter((words) => words.startsWith('npx latstream doctor'))).toHaveLength(1);
    expect(commands.some((words) => words.includes('small.json bench/configs/wide.json'))).toBe(true);
  });

  it('is filled on a CPU by the same commands', { timeout: 120_000 }, async () => {
    const measured = documented(...TABLE).flatMap((words) => {
      const rest = after(words, 'npm', 'run', 'bench', '--');
      return rest ? [small(rest).join(' ')] : [];
    });
    expect(measured.length).toBeGreaterThan(0);
    for (const line of new Set(measured)) {
      const args = ['dist/bench/main.js', ...line.split(' '), '--results', path('results')];
      const { stdout } = await promisify(execFile)(process.execPath, args, {
        env: { ...process.env, LATSTREAM_PEER_PYTHON: '/nowhere/python3' },
      });
      expect(stdout).toContain('written to');
    }
  });

  it('asks the peer for what it understands', () => {
    const [compare] = documented(...TABLE).filter((words) => words.includes('--peer-precision'));
    const from = compare!.indexOf('--peer-device');
    const asked = addPeerSetting(new Command('x')).parse(compare!.slice(from, from + 4), { from: 'user' });
    const settings = settingsOf(asked.opts<PeerOptions>());
    expect(settings.map(({ precision }) => precision)).toEqual(['fp32', 'bf16']);
    for (const setting of settings) {
      const args = ['bench/peer/step.py', tiny, ...peerArgs(setting)];
      const { error, stderr } = spawnSync('python3', args, { encoding: 'utf8', input: '' });
      // Without a Python there is nothing to ask; without PyTorch or a card it ends after it has read its options.
      if (error) continue;
      expect(stderr).not.toContain('usage:');
    }
  });
});
