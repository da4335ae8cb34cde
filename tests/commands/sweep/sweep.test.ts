/** @file `latstream sweep` as users run it, on a daemon of its own: interrupted, taken up again, with cells that fail. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { cli, scratch, set, start, stopped } from '../../helpers/cli.js';
import { daemon } from '../../helpers/daemon.js';

const { path } = scratch();

/** Seconds of work a cell. Layer 9 is none of the model's. */
const SWEEP = [
  ...['sweep', 'tiny', '--name', 'sites', '--grid', 'layers=0,9', '--grid', 'seed=0..1'],
  ...set('steps=1', 'arms={"lat":{}}', 'evaluate.requests=2', 'evaluate.every=0'),
  ...set('evaluate.maxNewTokens=2', 'evaluate.prefill=[]', 'evaluate.latent=null'),
];

interface Printed {
  readonly cells: readonly {
    readonly settings: object;
    readonly state: string;
    readonly reason: string | null;
    readonly models: Readonly<Record<string, Readonly<Record<string, number>>>>;
  }[];
  readonly means: readonly { readonly settings: object; readonly seeds: number }[];
}

describe('sweep', () => {
  it(
    'fills the queue, goes on after an interruption, and says which cells failed and why',
    { timeout: 300_000 },
    async () => {
      const state = path('state');
      const running = await daemon(state, { args: ['--parallel', '2'] });
      const first = start([...SWEEP, '--state', state]);
      await new Promise<void>((resolve) =>
        first.child.stderr?.on('data', (chunk: Buffer) => chunk.includes(': running') && resolve()),
      );
      first.child.kill('SIGINT');
      expect(await first.ended).toMatchObject({
        code: 130,
        stderr: expect.stringContaining('the runs go on') as string,
      });

      const out = path('out');
      const again = await cli([...SWEEP, '--state', state, '--out', out, '--sort', 'direct']);
      expect(again.code).toBe(3);
      expect(again.stderr).toContain('4 cells, 0 submitted, 4 left alone');
      expect(again.stderr).toContain('[SWEEP_INCOMPLETE]');
      expect(again.stdout).toMatch(/0 +0 +done +\d+\.\d %/);
      expect(again.stdout).toMatch(/9 +1 +failed .*layers\.9\.residual/);
      expect(await running.client.runs()).toHaveLength(4);

      const { stdout } = await cli([...SWEEP, '--state', state, '--out', out, '--json', '--detach']);
      const { cells, means } = JSON.parse(stdout) as Printed;
      expect(cells.map((cell) => [cell.settings, cell.state])).toEqual([
        [{ layers: 0, seed: 0 }, 'done'],
        [{ layers: 0, seed: 1 }, 'done'],
        [{ layers: 9, seed: 0 }, 'failed'],
        [{ layers: 9, seed: 1 }, 'failed'],
      ]);
      expect(cells[0]!.models['lat']!['directComply']).toBeGreaterThanOrEqual(0);
      expect(cells[2]!.reason).toContain('layers.9.residual');
      expect(means).toMatchObject([{ settings: { layers: 0 }, seeds: 2 }]);
      expect((await readFile(join(out, 'sweep.csv'), 'utf8')).split('\n')).toHaveLength(1 + 2 * 2 + 2 + 1);
      expect(await readFile(join(out, 'sweep.md'), 'utf8')).toContain('](sweep-figures/1.svg)');
      expect(await readFile(join(out, 'sweep-figures', '1.svg'), 'utf8')).toContain('<svg');

      expect((await stopped(running)).code).toBe(0);
    },
  );

  it('submits nothing where a cell is no recipe, and prints what it would run', async () => {
    const nobody = ['--state', path('nobody')];
    const wrong = await cli(['sweep', 'tiny', '--grid', 'epsilon=1,-1', ...nobody]);
    expect(wrong).toMatchObject({ code: 2, stdout: '' });
    expect(wrong.stderr).toMatch(/1 of 2 that are none:\n {2}epsilon=-1: [^]*\[SWEEP_RECIPE\]/);
    const dry = await cli(['sweep', 'tiny', '--grid', 'epsilon=1,2', '--dry-run', ...nobody]);
    expect(dry).toMatchObject({ code: 0, stderr: '' });
    expect(dry.stdout).toMatch(/epsilon=2 +12\n2 runs, 24 steps; nothing was submitted/);
    const none = await cli(['sweep', 'tiny', '--grid', 'epsilon=1', ...nobody]);
    expect(none).toMatchObject({
      code: 5,
      stderr: expect.stringContaining('[DAEMON_UNREACHABLE]') as string,
    });
  });
});
