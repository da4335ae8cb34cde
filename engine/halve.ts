/**
 * @file Program → about equivalent program in 16 bits where that is enough: operands and results of matrix products, and what
 * is computed from these alone. Sums, norms, softmax, losses, optimizers and the residual stream stay float32 (mixed
 * precision, arXiv 1710.03740).
 */
import { at } from './kernels/index.js';
import type { Node, Program } from './program.js';
import { isHalf, type HalfType } from './tensor.js';
import { isWidening } from './widen.js';

/** What is computed in 16 bits, and how. */
export interface Halving {
  readonly type: HalfType;
  /**
   * `half` gives products of halves to the runtime, which must sum them in float32. `float32` widens the rounded operands and
   * rounds the result: the same up to the order of sums.
   */
  readonly products: 'half' | 'float32';
  /** Whether functions of products are computed in 16 bits, too; or in float32, and rounded when they are multiplied with. */
  readonly elementwise: boolean;
}

/** Moves elements, and works in any type. */
const MOVES = new Set(['Reshape', 'Transpose', 'Slice', 'Concat', 'GatherV2']);
/** Elementwise, and as exact as the type is. */
const FUNCTIONS = new Set(['Add', 'Sub', 'Multiply', 'Neg', 'Sigmoid', 'Tanh', 'Relu', 'Select']);
/** What float16 can hold as exactly as any number: its largest and its least normal number. */
const [LARGEST, LEAST] = [65504, 2 ** -14];

/** A node of the old program in the new one: as float32 (or what it was), as half, and whether it comes from a product. */
interface Place {
  wide?: number;
  half?: number;
  readonly product: boolean;
}

/** Halves a simplified program; arguments and results keep their types. */
export function halved(program: Program, halving: Halving): Program {
  const halves = new Halves(program, halving);
  program.nodes.forEach((node) => halves.place(node));
  return halves.program();
}

class Halves {
  private readonly nodes: Node[] = [];
  private readonly places: Place[] = [];

  constructor(
    private readonly old: Program,
    private readonly halving: Halving,
  ) {}

  place(node: Node): void {
    this.places.push(this.placed(node));
  }

  program(): Program {
    const { name, inputs, outputs } = this.old;
    const wide = ([path, id]: readonly [string, number]): [string, number] => [path, this.wide(id)];
    const results = new Map([...outputs].map(wide));
    return { name, nodes: this.nodes, inputs: new Map([...inputs].map(wide)), outputs: results };
  }

  private placed(node: Node): Place {
    const { type, elementwise } = this.halving;
    if (isWidening(node, (input) => at(this.old.nodes, input))) {
      const kept = this.wide(at(node.inputs, 0));
      return at(this.nodes, kept).dtype === type
        ? { half: kept, product: false }
        : { wide: this.push({ ...node, inputs: [kept] }), product: false };
    }
    if (node.kernel === 'BatchMatMul') return { half: this.product(node), product: true };
    const floats = node.inputs.filter((input) => at(this.old.nodes, input).dtype === 'float32');
    const fromProducts = floats.some((input) => this.at(input).product);
    const isMove = MOVES.has(node.kernel) && floats.every((input) => this.at(input).product);
    const isFunction =
      elementwise && FUNCTIONS.has(node.kernel) && floats.every((each) => this.isExact(each));
    if (node.dtype === 'float32' && fromProducts && (isMove || isFunction)) {
      const inputs = node.inputs.map((input) =>
        floats.includes(input) ? this.half(input) : this.wide(input),
      );
      return { half: this.push({ ...node, inputs, dtype: type }), product: true };
    }
    return {
      wide: this.push({ ...node, inputs: node.inputs.map((input) => this.wide(input)) }),
      product: false,
    };
  }

  /** A product's rounded result. */
  private product(node: Node): number {
    const { type, products } = this.halving;
    const operands = node.inputs.map((input) => this.half(input));
    if (products === 'half') return this.push({ ...node, inputs: operands, dtype: type });
    const inputs = operands.map((operand) => this.cast(operand, 'float32'));
    return this.cast(this.push({ ...node, inputs }), type);
  }

  /** From a product, or a number that a half holds as well. */
  private isExact(id: number): boolean {
    const { kernel, attributes } = at(this.old.nodes, id);
    const size = Math.abs(attributes['value'] as number);
    return this.at(id).product || (kernel === 'Fill' && (size === 0 || (size >= LEAST && size <= LARGEST)));
  }

  private wide(id: number): number {
    const place = this.at(id);
    return (place.wide ??= this.cast(place.half as number, 'float32'));
  }

  private half(id: number): number {
    const place = this.at(id);
    if (place.half !== undefined) return place.half;
    const { type } = this.halving;
    const node = at(this.old.nodes, id);
    if (node.kernel !== 'Fill') return (place.half = this.cast(this.wide(id), type));
    return (place.half = this.push({
      ...node,
      attributes: { ...node.attributes, dtype: type },
      dtype: type,
    }));
  }

  private readonly casts = new Map<number, number>();

  private cast(id: number, dtype: 'float32' | HalfType): number {
    // What was rounded is widened once; `widenedLate` puts it where it is read.
    const known = isHalf(dtype) ? undefined : this.casts.get(id);
    if (known !== undefined) return known;
    const { shape } = at(this.nodes, id);
    const cast = this.push({ kernel: 'Cast', inputs: [id], attributes: { dtype }, shape, dtype });
    if (!isHalf(dtype)) this.casts.set(id, cast);
    return cast;
  }

  private push(node: Node): number {
    return this.nodes.push(node) - 1;
  }

  private at(id: number): Place {
    return at(this.places, id);
  }
}
