/** @file What the benchmark times really is a step: it compiles once, and the peer does the published mathematics. */
import { spawnSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { findPeer } from '../../bench/peer.js';
import { parseShapes, readShapes } from '../../bench/shapes.js';
import { workload } from '../../bench/step.js';

const tiny = readShapes('bench/configs/tiny.json');

describe('workload', () => {
  it('runs a program per attack iteration and per defence update, and compiles none again', async () => {
    const work = workload({ ...tiny, attack_iterations: 3, defence_iterations: 2 });
    await work.step();
    await work.step();
    const { compilations, hits } = work.stats();
    await work.dispose();
    expect(compilations).toBe(2);
    expect(compilations + hits).toBe(2 * (3 + 2));
  });

  it('runs one program for one gradient', async () => {
    const work = workload(parseShapes({ ...tiny, kind: 'gradient', rank: 0, prompt: 0, completion: 6 }));
    await work.step();
    await work.step();
    const { compilations, hits } = work.stats();
    await work.dispose();
    expect([compilations, hits]).toEqual([1, 1]);
  });
});

describe('the PyTorch peer', () => {
  const named = process.env['LATSTREAM_PEER_PYTHON'] !== undefined;
  const peer = named ? findPeer(process.cwd()) : undefined;

  it.skipIf(!peer)(
    'computes in bfloat16 where it is told to, and says where (needs LATSTREAM_PEER_PYTHON)',
    () => {
      const run = (...args: readonly string[]) =>
        spawnSync(peer?.python as string, ['bench/peer/step.py', 'bench/configs/tiny.json', ...args], {
          encoding: 'utf8',
          input: '\n',
          env: { ...process.env, CUDA_VISIBLE_DEVICES: '' },
        });
      const { stdout } = run('--precision', 'bf16');
      const [ready, timed] = stdout
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line) as object);
      expect(ready).toMatchObject({ ready: true, on: 'cpu bf16' });
      expect(timed).toHaveProperty('seconds');
      expect(run('--device', 'cuda')).toMatchObject({
        status: 1,
        stderr: expect.stringContaining('finds no CUDA device') as string,
      });
    },
  );

  it.skipIf(!peer)('computes what the published code computed (needs LATSTREAM_PEER_PYTHON)', () => {
    const check = ['bench/peer/check.py', 'tests/fixtures/lat'];
    const { status, stdout, stderr } = spawnSync(peer?.python as string, check, { encoding: 'utf8' });
    expect(status, `${stdout}${stderr}`).toBe(0);
  });
});
