import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { evaluateProgram } from '../../engine/evaluate.js';
import { float32, ops, type Tensor } from '../../engine/index.js';
import { printProgram } from '../../engine/program.js';
import { simplify } from '../../engine/simplify.js';
import { trace } from '../../engine/trace.js';
import { matricesArbitrary, programArbitrary } from '../helpers/programs.js';

describe('simplify', () => {
  test('keeps the meaning of any program, gradients included', () => {
    fc.assert(
      fc.property(programArbitrary, matricesArbitrary, (definition, args) => {
        const program = trace({ ...definition, args });
        const inputs = new Map(Object.entries(args));
        const before = evaluateProgram(program, inputs);
        const after = evaluateProgram(simplify(program), inputs);
        for (const [path, data] of before)
          after.get(path)!.forEach((value, index) => expect(value).toBeCloseTo(data[index]!, 5));
      }),
      { numRuns: 60 },
    );
  });

  test('is idempotent', () => {
    fc.assert(
      fc.property(programArbitrary, matricesArbitrary, (definition, args) => {
        const once = simplify(trace({ ...definition, args }));
        expect(printProgram(simplify(once))).toBe(printProgram(once));
      }),
      { numRuns: 60 },
    );
  });

  test('removes what changes nothing, shares equal nodes and drops what no output needs', () => {
    const compute = ({ x, unused }: { x: Tensor; unused: Tensor }): Tensor => {
      const square = ops.square(ops.reshape(ops.cast(x, 'float32'), [2, 2]));
      void ops.exp(unused);
      return ops.add(ops.mul(square, ops.ones([2, 2])), ops.square(x));
    };
    const args = { x: float32([2, 2]), unused: float32([5]) };
    const program = simplify(trace({ name: 'small', compute: compute as never, args }));
    expect(printProgram(program)).toMatchInlineSnapshot(`
      "program small
      %0 = Input(x) : f32[2,2]
      %1 = Square(%0) : f32[2,2]
      %2 = Add(%1, %1) : f32[2,2]
      returns
        result = %2"
    `);
    expect([...program.inputs.keys()]).toEqual(['x']);
  });

  test('broadcasts nothing that an elementwise kernel broadcasts by itself', () => {
    const compute = ({ x }: { x: Tensor }): Tensor => ops.where(ops.greater(x, 0), x, ops.fill([1, 1], -1));
    const program = simplify(
      trace({ name: 'masked', compute: compute as never, args: { x: float32([4, 3]) } }),
    );
    const kernels = program.nodes.map((node) => node.kernel);
    expect(kernels).toEqual(['Input', 'Fill', 'Greater', 'Fill', 'Select']);
  });

  test('keeps a gradient of a sum as a scalar, not as an array of ones', () => {
    const compute = ({ x }: { x: Tensor }): Tensor => ops.mul(ops.onesLike(x), ops.scalar(3));
    const program = simplify(
      trace({ name: 'ones', compute: compute as never, args: { x: float32([64, 64]) } }),
    );
    expect(program.nodes).toHaveLength(1);
    expect(program.nodes[0]).toMatchObject({ kernel: 'Fill', attributes: { value: 3 }, shape: [64, 64] });
  });
});
