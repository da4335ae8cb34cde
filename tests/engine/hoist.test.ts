import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { evaluateProgram } from '../../engine/evaluate.js';
import { HELD, hoist } from '../../engine/hoist.js';
import { float32, type HostTensor, ops, type Tensor } from '../../engine/index.js';
import { simplify } from '../../engine/simplify.js';
import { trace } from '../../engine/trace.js';
import { matricesArbitrary, programArbitrary } from '../helpers/programs.js';

const traced = (compute: unknown, args: Record<string, HostTensor>) =>
  simplify(trace({ name: 'split', compute: compute as never, args }));
const kernelsOf = (program: ReturnType<typeof traced>) => program.nodes.map(({ kernel }) => kernel);

describe('hoist', () => {
  test('the two parts of any program, one after the other, mean what the program means', () => {
    fc.assert(
      fc.property(
        programArbitrary,
        matricesArbitrary,
        fc.constantFrom('x', 'y'),
        (definition, args, varying) => {
          const program = simplify(trace({ ...definition, args }));
          const inputs = new Map(Object.entries(args));
          const { once, each } = hoist(program, (path) => path === varying);
          const held = new Map(
            [...(once?.outputs ?? [])].map(([path, id]) => {
              const data = evaluateProgram(once!, inputs).get(path) as Float32Array;
              return [path, float32(once!.nodes[id]!.shape, data)] as const;
            }),
          );
          const expected = evaluateProgram(program, inputs);
          const actual = evaluateProgram(each, new Map([...inputs, ...held]));
          expect([...actual.keys()].sort()).toEqual([...expected.keys()].sort());
          for (const [path, data] of expected) expect([...actual.get(path)!]).toEqual([...data]);
        },
      ),
      { numRuns: 60 },
    );
  });

  test('nothing that is computed once depends on what varies, and nothing else of weight is left to compute each time', () => {
    const { once, each } = hoist(
      traced(
        ({ w, x }: Record<'w' | 'x', Tensor>) =>
          ops.matMul(ops.matMul(w, ops.exp(w)), ops.add(x, ops.sin(w))),
        { w: float32([2, 2]), x: float32([2, 2]) },
      ),
      (path) => path === 'x',
    );
    expect([...once!.inputs.keys()]).toEqual(['w']);
    expect(kernelsOf(once!).sort()).toEqual(['BatchMatMul', 'Exp', 'Input', 'Sin']);
    expect(kernelsOf(each).sort()).toEqual(['Add', 'BatchMatMul', 'Input', 'Input', 'Input']);
    expect([...each.inputs.keys()].filter((path) => path.startsWith(HELD))).toHaveLength(2);
  });

  test('holds no copies: what only reshapes or broadcasts an argument is done each time', () => {
    const { once } = hoist(
      traced(({ w, x }: Record<'w' | 'x', Tensor>) => ops.add(ops.tile(ops.reshape(w, [1, 4]), [3, 1]), x), {
        w: float32([2, 2]),
        x: float32([3, 4]),
      }),
      (path) => path === 'x',
    );
    expect(once).toBeUndefined();
  });
});
