/** @file Lowerings for ONNX Runtime's WebGPU provider, where those of the table would leave the device or lose digits. */
import * as exact from './exact.js';
import { at, ONNX_TYPE, type Lowering, type Lowerings } from './kernel.js';

/** The provider has `And` and `Not` but no `Or`. */
function lowerOr({ emit, inputs }: Lowering): string {
  const neither = inputs.map((input) => emit.op('Not', [input]));
  return emit.op('Not', [emit.op('And', neither)]);
}

/** It has no sum of several. */
function lowerSum({ emit, inputs }: Lowering): string {
  return inputs.slice(1).reduce((sum, input) => emit.op('Add', [sum, input]), at(inputs, 0));
}

/** It has no `Sign`: a bool is counted instead. */
function lowerSign({ emit, inputs }: Lowering): string {
  const zero = emit.scalar(0, 'float32');
  const is = (comparison: string): string =>
    emit.op('Cast', [emit.op(comparison, [at(inputs, 0), zero])], { to: ONNX_TYPE.float32 });
  return emit.op('Sub', [is('Greater'), is('Less')]);
}

/** It has no batched product of transposed operands. */
function lowerProduct({ emit, inputs, metas, attributes }: Lowering): string {
  const flags = ['transposeA', 'transposeB'].map((name) => attributes[name] === true);
  if (flags.includes(true) && metas.every(({ shape }) => shape.length === 2)) {
    const [transA, transB] = flags.map(Number) as [number, number];
    return emit.op('Gemm', inputs, { transA, transB });
  }
  const operands = inputs.map((input, which) => {
    if (!flags[which]) return input;
    const axes = at(metas, which).shape.map((_, axis) => axis);
    return emit.op('Transpose', [input], { perm: [...axes.slice(0, -2), ...axes.slice(-2).reverse()] });
  });
  return emit.op('MatMul', operands);
}

/** log(1 + eˣ) = max(x, 0) + log(1 + e^−|x|). */
function lowerSoftplus({ emit, inputs }: Lowering): string {
  const x = at(inputs, 0);
  const small = emit.op('Exp', [emit.op('Neg', [emit.op('Abs', [x])])]);
  return emit.op('Add', [emit.op('Relu', [x]), exact.log1p(emit, small)]);
}

/** xʸ = exp(y·log x) for x > 0; powers of the others are left to the provider. */
function lowerPower({ emit, inputs }: Lowering): string {
  const [x, y] = [at(inputs, 0), at(inputs, 1)];
  const power = emit.op('Exp', [emit.op('Mul', [y, exact.log(emit, x)])]);
  return emit.op('Where', [
    emit.op('Greater', [x, emit.scalar(0, 'float32')]),
    power,
    emit.op('Pow', [x, y]),
  ]);
}

/** Instead of the table's, by tfjs name. */
export const webgpuLowerings: Lowerings = {
  LogicalOr: lowerOr,
  AddN: lowerSum,
  Sign: lowerSign,
  BatchMatMul: lowerProduct,
  Log: ({ emit, inputs }) => exact.log(emit, at(inputs, 0)),
  Log1p: ({ emit, inputs }) => exact.log1p(emit, at(inputs, 0)),
  Sin: ({ emit, inputs }) => exact.sine(emit, at(inputs, 0), 0),
  Cos: ({ emit, inputs }) => exact.sine(emit, at(inputs, 0), 1),
  Pow: lowerPower,
  Softplus: lowerSoftplus,
};
