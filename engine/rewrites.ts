/** @file Local rewrites of one node whose inputs are already simple. Each returns the replacement, or nothing. */
import { evaluateKernel } from './evaluate.js';
import { at, broadcastShapes, elementwiseKernels } from './kernels/index.js';
import type { Node } from './program.js';
import { isWidening } from './widen.js';

/** What a rewrite may do: look at nodes, add some, and say which node stands for the result. */
export interface Rewriter {
  readonly node: (id: number) => Node;
  readonly add: (node: Node) => number;
}

export type Rewrite = (node: Node, rewriter: Rewriter) => number | undefined;

const sameShape = (a: readonly number[], b: readonly number[]): boolean =>
  a.length === b.length && a.every((extent, axis) => extent === b[axis]);

const isFill = (node: Node, value?: number): boolean =>
  node.kernel === 'Fill' && (value === undefined || Object.is(node.attributes['value'], value));

const fill = (shape: readonly number[], value: number, dtype: Node['dtype']): Node => ({
  kernel: 'Fill',
  inputs: [],
  attributes: { shape, value, dtype },
  shape,
  dtype,
});

/** Casts, reshapes, transposes and broadcasts that change nothing. */
const dropIdentity: Rewrite = (node, { node: get }) => {
  const [only] = node.inputs;
  if (only === undefined || node.inputs.length !== 1) return undefined;
  const input = get(only);
  const unchanged = sameShape(node.shape, input.shape) && node.dtype === input.dtype;
  if (!unchanged) return undefined;
  if (['Cast', 'Reshape', 'BroadcastTo', 'Tile', 'Slice', 'PadV2', 'Concat', 'AddN'].includes(node.kernel))
    return only;
  if (node.kernel === 'Transpose')
    return (node.attributes['perm'] as number[]).every((to, from) => to === from) ? only : undefined;
  return undefined;
};

/** x·1, x/1, x+0, x−0. (x·0 stays: it may be NaN.) */
const dropNeutral: Rewrite = (node, { node: get, add }) => {
  const [left, right] = node.inputs;
  if (left === undefined || right === undefined) return undefined;
  const keeps = (kept: number): number =>
    sameShape(get(kept).shape, node.shape) ? kept : add(broadcast(kept, node));
  const neutral = { Multiply: 1, RealDiv: 1, Add: 0, Sub: 0 }[node.kernel];
  if (neutral === undefined) return undefined;
  if (isFill(get(right), neutral)) return keeps(left);
  if (isFill(get(left), neutral) && ['Multiply', 'Add'].includes(node.kernel)) return keeps(right);
  return undefined;
};

const broadcast = (input: number, { shape, dtype }: Node): Node => ({
  kernel: 'BroadcastTo',
  inputs: [input],
  attributes: { shape },
  shape,
  dtype,
});

/** tfjs broadcasts by tiling; said as a broadcast, elementwise kernels can do without it. */
const tileToBroadcast: Rewrite = (node, { node: get, add }) => {
  if (node.kernel !== 'Tile') return undefined;
  const [only] = node.inputs as [number];
  const { shape } = get(only);
  const reps = node.attributes['reps'] as readonly number[];
  return reps.every((times, axis) => times === 1 || shape[axis] === 1)
    ? add(broadcast(only, node))
    : undefined;
};

/** Functions of uniform values are uniform. */
const foldFill: Rewrite = (node, { node: get, add }) => {
  if (node.inputs.length === 0) return undefined;
  const inputs = node.inputs.map(get);
  if (!inputs.every((input) => isFill(input))) return undefined;
  const values = inputs.map((input) => input.attributes['value'] as number);
  if (['Reshape', 'Transpose', 'Slice', 'Tile', 'BroadcastTo'].includes(node.kernel))
    return add(fill(node.shape, at(values, 0), node.dtype));
  if (!(node.kernel in elementwiseKernels)) return undefined;
  const scalars = inputs.map((input, index) => ({
    shape: [],
    dtype: input.dtype,
    data: scalarData(at(values, index), input.dtype),
  }));
  const [result] = evaluateKernel(node.kernel, scalars, node.attributes);
  return add(fill(node.shape, result ?? 0, node.dtype));
};

function scalarData(value: number, dtype: Node['dtype']): Float32Array | Int32Array | Uint8Array {
  if (dtype === 'float32') return Float32Array.of(value);
  return dtype === 'int32' ? Int32Array.of(value) : Uint8Array.of(value);
}

/** Elementwise kernels broadcast by themselves: what only broadcasts their inputs goes, uniform inputs become scalars. */
const dropBroadcast: Rewrite = (node, { node: get, add }) => {
  if (!(node.kernel in elementwiseKernels) || node.inputs.length < 2) return undefined;
  const inputs = [...node.inputs];
  inputs.forEach((id, index) => {
    const input = get(id);
    const slim = input.kernel === 'BroadcastTo' ? at(input.inputs, 0) : slimFill(input, add);
    if (slim === undefined) return;
    const shapes = inputs.map((other, position) => get(position === index ? slim : other).shape);
    if (sameShape(broadcastShapes(shapes), node.shape)) inputs[index] = slim;
  });
  return sameShape(inputs, node.inputs) ? undefined : add({ ...node, inputs });
};

const slimFill = (node: Node, add: Rewriter['add']): number | undefined =>
  isFill(node) && node.shape.length > 0
    ? add(fill([], node.attributes['value'] as number, node.dtype))
    : undefined;

/** A reshape of a reshape, a transpose of a transpose. */
const mergeMoves: Rewrite = (node, { node: get, add }) => {
  const [only] = node.inputs;
  if (only === undefined) return undefined;
  const input = get(only);
  if (node.kernel !== input.kernel) return undefined;
  const inputs = [at(input.inputs, 0)];
  if (node.kernel === 'Reshape') return add({ ...node, inputs });
  if (node.kernel !== 'Transpose') return undefined;
  const inner = input.attributes['perm'] as readonly number[];
  const perm = (node.attributes['perm'] as readonly number[]).map((axis) => at(inner, axis));
  return add({ ...node, inputs, attributes: { perm } });
};

/** A product of a transposed matrix is a product with its flag set. */
const absorbTranspose: Rewrite = (node, { node: get, add }) => {
  if (node.kernel !== 'BatchMatMul') return undefined;
  const flags = ['transposeA', 'transposeB'] as const;
  const inputs = [...node.inputs];
  const attributes = { ...node.attributes };
  flags.forEach((flag, index) => {
    const input = get(at(inputs, index));
    if (input.kernel !== 'Transpose' || !swapsLastTwo(input.attributes['perm'] as readonly number[])) return;
    inputs[index] = at(input.inputs, 0);
    attributes[flag] = attributes[flag] !== true;
  });
  return sameShape(inputs, node.inputs) ? undefined : add({ ...node, inputs, attributes });
};

function swapsLastTwo(perm: readonly number[]): boolean {
  const rank = perm.length;
  const expected = perm.map((_, axis) =>
    axis === rank - 1 ? rank - 2 : axis === rank - 2 ? rank - 1 : axis,
  );
  return rank >= 2 && sameShape(perm, expected);
}

const dropDoubleNegation: Rewrite = (node, { node: get }) => {
  if (node.kernel !== 'Neg') return undefined;
  const input = get(at(node.inputs, 0));
  return input.kernel === 'Neg' ? input.inputs[0] : undefined;
};

/** What only picks or renames elements does so with 16-bit floats as they are kept: few rows of a table need widening. */
const widenAfterwards: Rewrite = (node, { node: get, add }) => {
  if (!['GatherV2', 'Slice', 'Reshape'].includes(node.kernel)) return undefined;
  const widening = get(at(node.inputs, 0));
  if (!isWidening(widening, get)) return undefined;
  const kept = at(widening.inputs, 0);
  const picked = add({ ...node, inputs: [kept, ...node.inputs.slice(1)], dtype: get(kept).dtype });
  return add({ ...widening, inputs: [picked], shape: node.shape });
};

/** In the order in which they are tried. */
export const rewrites: readonly Rewrite[] = [
  dropIdentity,
  foldFill,
  tileToBroadcast,
  dropNeutral,
  dropBroadcast,
  mergeMoves,
  absorbTranspose,
  dropDoubleNegation,
  widenAfterwards,
];
