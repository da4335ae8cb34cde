/** @file The small step on an executor that is slow by a clock that is made up. */
import { describe, expect, it } from 'vitest';
import { tfjsExecutor, type Executable, type Executor } from '../../../engine/index.js';
import { smallStep } from '../../../engine/machine/small-step.js';

/** tfjs, each run of which takes so long. */
function slowed(times: readonly number[]): { readonly executor: Executor; readonly now: () => number } {
  const plain = tfjsExecutor();
  let [now, runs] = [0, 0];
  const late = (executable: Executable): Executable => ({
    ...executable,
    run: (values, into) => {
      now += times[Math.min(runs++, times.length - 1)] as number;
      return executable.run(values, into);
    },
  });
  const executor = { ...plain, compile: async (signature: never) => late(await plain.compile(signature)) };
  return { executor, now: () => now };
}

describe('smallStep', () => {
  it.each([
    ['fast', [50, 2], 10, 2],
    ['slow', [31_000, 2000], 4, 2000],
    ['slower than that', [90_000, 40_000], 2, 40_000],
  ])(
    'is repeated for some seconds where it is %s, and says its time',
    async (_, times, steps, milliseconds) => {
      const begun: string[] = [];
      const { executor, now } = slowed(times);
      const found = await smallStep(executor, { now, onBegin: (doing) => begun.push(doing) });
      expect(found).toMatchObject({ milliseconds, firstMilliseconds: times[0], error: 0 });
      expect(begun.filter((doing) => doing.includes('step'))).toHaveLength(steps + 2);
      expect(begun.slice(0, 3)).toEqual(['the step in plain JavaScript', 'the first step', 'step 2']);
    },
  );
});
