/** @file Adding up the runtime's profile: by operation, warm-up left out, other events ignored. */
import { describe, expect, it } from 'vitest';
import { kernelTimes } from '../../bench/kernel-times.js';
import { phaseOf } from '../../bench/phases.js';
import { byPhase } from '../../bench/profile.js';

const session = (name: string, ts: number, dur: number): object => ({
  cat: 'Session',
  name,
  ts,
  dur,
  ph: 'X',
});
const kernel = (op: string, ts: number, dur: number): object => ({
  cat: 'Node',
  name: `${op}_7_kernel_time`,
  ts,
  dur,
  args: { op_name: op, node_index: '7' },
});

const events = [
  session('model_loading_array', 0, 900),
  session('model_run', 1000, 500),
  kernel('MatMul', 1010, 400),
  // Written when they end: not in the order of their beginnings.
  kernel('MatMul', 2010, 70),
  { cat: 'Node', name: 'MatMul_7_fence_before', ts: 2005, dur: 5, args: { op_name: 'MatMul' } },
  kernel('Add', 2090, 10),
  session('model_run', 2000, 120),
  kernel('MatMul', 3010, 50),
  session('model_run', 3000, 80),
  { name: 'process_name', ph: 'M', args: { name: 'x' } },
];

describe('kernelTimes', () => {
  it('adds up by operation, without the runs that are skipped', () => {
    const times = kernelTimes(JSON.stringify(events), 1);
    expect(times.runs).toBe(2);
    expect(times.seconds).toBeCloseTo(200e-6, 12);
    expect(Object.keys(times.kernels).sort()).toEqual(['Add', 'MatMul']);
    expect(times.kernels['MatMul']?.calls).toBe(2);
    expect(times.kernels['MatMul']?.seconds).toBeCloseTo(120e-6, 12);
    expect(times.kernels['Add']).toEqual({ seconds: 10e-6, calls: 1 });
  });

  it('counts every run where none is skipped, and nothing where all are', () => {
    expect(kernelTimes(JSON.stringify(events), 0).kernels['MatMul']?.calls).toBe(3);
    expect(kernelTimes(JSON.stringify(events), 3)).toEqual({ runs: 0, seconds: 0, kernels: {} });
  });
});

describe('byPhase', () => {
  it('names phases without the fingerprint of their program, and divides by the steps', () => {
    expect(phaseOf('attack:0123456789ab once')).toBe('attack once');
    const run = (program: string, seconds: number) => ({ program, seconds });
    const runs = [
      run('attack:0123456789ab', 1),
      run('defend:0123456789ab', 4),
      run('attack:0123456789ab', 2),
    ];
    expect(byPhase(runs, 2)).toEqual([
      ['attack', { runs: 1, seconds: 1.5 }],
      ['defend', { runs: 0.5, seconds: 2 }],
    ]);
  });
});
