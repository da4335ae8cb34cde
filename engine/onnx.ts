/** @file Builds an ONNX ModelProto operation by operation. Knows nothing about programs beyond their types. */
import onnxProto from 'onnx-proto';
import { ONNX_TYPE, type Emitter, type OnnxAttribute } from './kernels/index.js';
import { bytesOf, type ElementType, type Meta } from './program.js';
import { float32, narrowed } from './tensor.js';

const { onnx } = onnxProto;
/** ai.onnx operator set: reductions take their axes as inputs from 18 on. */
const OPSET = 18;
const OPSET_WITH_BITCAST = 26;
const IR_VERSION = 9;

/** An ONNX graph under construction. */
export class OnnxGraph implements Emitter {
  private readonly nodes: onnxProto.onnx.INodeProto[] = [];
  private readonly initializers: onnxProto.onnx.ITensorProto[] = [];
  private readonly inputs: onnxProto.onnx.IValueInfoProto[] = [];
  private readonly outputs: onnxProto.onnx.IValueInfoProto[] = [];
  private readonly constants = new Map<string, string>();
  private count = 0;
  private opset = OPSET;

  constructor(private readonly name: string) {}

  /** Declares an argument; an extent of −1 stands for any. */
  input(meta: Meta): string {
    const name = this.fresh('input');
    this.inputs.push(valueInfo(name, meta));
    return name;
  }

  /** The value of an argument: the runtime's binding has no bfloat16, its bits come as uint16. */
  valueOf(argument: string, { dtype }: Meta): string {
    return dtype === 'bfloat16' ? this.sameBits(argument, 'bfloat16') : argument;
  }

  /** Declares a result; a value that is an argument or was declared before is copied under a name of its own. */
  output(given: string, meta: Meta): string {
    const value = meta.dtype === 'bfloat16' ? this.sameBits(given, 'uint16') : given;
    const taken = [...this.inputs, ...this.outputs, ...this.initializers].some((info) => info.name === value);
    const name = taken ? this.op('Identity', [value]) : value;
    this.outputs.push(valueInfo(name, meta));
    return name;
  }

  op(
    type: string,
    inputs: readonly string[],
    attributes: Readonly<Record<string, OnnxAttribute>> = {},
    domain = '',
  ): string {
    const output = this.fresh(type);
    const attribute = Object.entries(attributes).map(([name, value]) => attributeProto(name, value));
    this.nodes.push({ name: output, opType: type, domain, input: [...inputs], output: [output], attribute });
    return output;
  }

  int64(values: readonly number[]): string {
    return this.shared(`i64 ${values.join(',')}`, () => {
      const raw = new BigInt64Array(values.map(BigInt));
      return { dims: [values.length], dataType: ONNX_TYPE.int64, rawData: new Uint8Array(raw.buffer) };
    });
  }

  scalar(value: number, dtype: ElementType): string {
    return this.shared(`${dtype} ${Object.is(value, -0) ? '-0' : value}`, () => ({
      dims: [],
      dataType: ONNX_TYPE[dtype],
      rawData: scalarBytes(value, dtype),
    }));
  }

  constant(data: Float32Array | Int32Array | Uint8Array, meta: Meta): string {
    const name = this.fresh('constant');
    const rawData = new Uint8Array(data.buffer, data.byteOffset, bytesOf(meta)).slice();
    this.initializers.push({ name, dims: [...meta.shape], dataType: ONNX_TYPE[meta.dtype], rawData });
    return name;
  }

  /**
   * The serialised model. The runtime orders operations by depth-first search from results that nobody reads, what is last
   * in the list first: written backwards, the list is run in about its own order.
   */
  encode(): Uint8Array {
    const graph = {
      name: this.name,
      node: this.nodes.toReversed(),
      initializer: this.initializers,
      input: this.inputs,
      output: this.outputs,
    };
    const opsetImport = [
      { domain: '', version: this.opset },
      { domain: 'com.microsoft', version: 1 },
    ];
    return onnx.ModelProto.encode({
      irVersion: IR_VERSION,
      producerName: 'latstream',
      opsetImport,
      graph,
    }).finish();
  }

  private sameBits(value: string, to: 'bfloat16' | 'uint16'): string {
    this.opset = OPSET_WITH_BITCAST;
    return this.op('BitCast', [value], { to: ONNX_TYPE[to] });
  }

  private shared(key: string, make: () => onnxProto.onnx.ITensorProto): string {
    const known = this.constants.get(key);
    if (known !== undefined) return known;
    const name = this.fresh('constant');
    this.initializers.push({ ...make(), name });
    this.constants.set(key, name);
    return name;
  }

  private fresh(prefix: string): string {
    return `${prefix}_${this.count++}`;
  }
}

function scalarBytes(value: number, dtype: ElementType): Uint8Array {
  if (dtype === 'bool') return Uint8Array.of(value ? 1 : 0);
  if (dtype === 'int32') return new Uint8Array(Int32Array.of(value).buffer);
  const single = float32([], [value]);
  const { data } = dtype === 'float32' ? single : narrowed(single, dtype);
  return new Uint8Array(data.buffer);
}

function valueInfo(name: string, meta: Meta): onnxProto.onnx.IValueInfoProto {
  const shape = { dim: meta.shape.map((extent) => (extent < 0 ? { dimParam: 'n' } : { dimValue: extent })) };
  const elemType = ONNX_TYPE[meta.dtype === 'bfloat16' ? 'uint16' : meta.dtype];
  return { name, type: { tensorType: { elemType, shape } } };
}

function attributeProto(name: string, value: OnnxAttribute): onnxProto.onnx.IAttributeProto {
  const { AttributeType } = onnx.AttributeProto;
  if (typeof value === 'number') return { name, type: AttributeType.INT, i: value };
  if (typeof value === 'string')
    return { name, type: AttributeType.STRING, s: new TextEncoder().encode(value) };
  if ('float' in value) return { name, type: AttributeType.FLOAT, f: value.float };
  return { name, type: AttributeType.INTS, ints: [...value] };
}
