/** @file The buffers of perturbations: reused, never handed out twice, and bounded. */
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { createEngine, tfjsExecutor, type Value } from '../../engine/index.js';
import { StateBuffers } from '../../operators/perturbation.js';

const engine = createEngine(tfjsExecutor());
afterAll(() => engine.dispose());

describe('StateBuffers', () => {
  it('gives back what was returned, for the shapes used last and no others', () =>
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 6 }), { maxLength: 30 }), (widths) => {
        const buffers = new StateBuffers(engine, 3);
        let recent: number[] = [];
        const held = new Map<number, { value: Value; zeros: Value }>();
        for (const width of widths) {
          const value = buffers.take([1, width]);
          const zeros = buffers.zeros([1, width]);
          const kept = recent.includes(width);
          expect(value === held.get(width)?.value).toBe(kept);
          expect(zeros === held.get(width)?.zeros).toBe(kept);
          expect(buffers.take([1, width])).not.toBe(value);
          buffers.give(value);
          held.set(width, { value, zeros });
          recent = [...recent.filter((each) => each !== width), width].slice(-3);
        }
      }),
    ));
});
