/** @file Values that stay on a device between runs: brought there when first read, replaced, brought back, let go. */
import { OnnxGraph } from '../../onnx.js';
import { bytesOf } from '../../program.js';
import { sizeOf, type HostTensor, type Value } from '../../tensor.js';
import { onHost, type Held } from '../host-memory.js';
import type { Pointer } from './c-api.js';
import type { NativeTensor, Place, ResidentDevice, ResidentSession } from './session.js';

/** Host memory until a program reads it, then a tensor of the device. */
interface Holder {
  data: { readonly held: Held } | { readonly native: NativeTensor };
}

class ResidentValue implements Value {
  constructor(
    readonly dtype: Value['dtype'],
    readonly shape: readonly number[],
    readonly holder: Holder,
  ) {}
}

/** Fewer elements are passed from host memory with every run. */
const WORTH_MOVING = 1024;
/** So many bytes of results may wait for the garbage collector, which does not see how large they are. */
const MOST_WAITING = 2 ** 28;

/** The values of one executor. */
export class ResidentValues {
  private readonly copiers = new Map<string, Copier>();
  private readonly live = new Set<Holder>();
  private readonly unreachable = new FinalizationRegistry<Holder>((holder) => this.letGo(holder));
  private waiting = 0;

  /** @param collect has the garbage collector run now. */
  constructor(
    private readonly device: ResidentDevice,
    private readonly collect: () => void,
  ) {}

  /** Host data as a value; it moves when a program first reads it. */
  hold(held: Held): Value {
    return this.value(held.dtype, held.shape, { held });
  }

  /** A value as a program's argument; `borrowed` collects what is only for this run. */
  feed(value: Value, borrowed: NativeTensor[]): NativeTensor {
    if (!(value instanceof ResidentValue)) return this.borrow(value as Held, borrowed);
    const { holder, dtype, shape } = value;
    if ('native' in holder.data) return holder.data.native;
    const { held } = holder.data;
    if (sizeOf(shape) < WORTH_MOVING) return this.borrow(held, borrowed);
    const vector = this.device.borrow({ ...held, shape: [sizeOf(shape)] });
    const moved = this.copier(dtype, 'device').copy(vector);
    this.device.releaseView(vector);
    const native = this.device.shaped(moved, shape);
    holder.data = { native };
    return native;
  }

  /** A program's result as a value: in place of `target`, whose former data is released, or fresh. */
  keep(value: Pointer, place: Place, meta: Pick<Value, 'dtype' | 'shape'>, target: Value | undefined): Value {
    const native = { value, ...meta };
    if (target instanceof ResidentValue) {
      this.release(target.holder);
      target.holder.data = this.dataOf(native, place);
      return target;
    }
    const fresh = this.value(meta.dtype, meta.shape, this.dataOf(native, place));
    if (target === undefined) return fresh;
    (target as HostTensor).data.set(this.download(fresh).data);
    this.unreachable.unregister(fresh.holder);
    this.letGo(fresh.holder);
    return target;
  }

  /** A value's data in host memory. */
  download(value: Value): HostTensor {
    if (!(value instanceof ResidentValue)) return onHost(value as Held);
    const { holder, dtype, shape } = value;
    if ('held' in holder.data) return onHost(holder.data.held);
    const view = this.device.shaped(holder.data.native, [sizeOf(shape)]);
    const copy = this.copier(dtype, 'host').copy(view);
    this.device.releaseView(view);
    const held = this.device.read(copy);
    this.device.release(copy);
    return onHost({ ...held, shape });
  }

  dispose(): void {
    for (const holder of this.live) this.letGo(holder);
    for (const copier of this.copiers.values()) copier.dispose();
    this.copiers.clear();
  }

  private borrow(held: Held, borrowed: NativeTensor[]): NativeTensor {
    const tensor = this.device.borrow(held);
    borrowed.push(tensor);
    return tensor;
  }

  private dataOf(native: NativeTensor, place: Place): Holder['data'] {
    if (place === 'device') {
      if ((this.waiting += bytesOf(native)) > MOST_WAITING) {
        this.waiting = 0;
        this.collect();
      }
      return { native };
    }
    const held = this.device.read(native);
    this.device.release(native);
    return { held };
  }

  private value(dtype: Value['dtype'], shape: readonly number[], data: Holder['data']): ResidentValue {
    const value = new ResidentValue(dtype, shape, { data });
    this.live.add(value.holder);
    this.unreachable.register(value, value.holder, value.holder);
    return value;
  }

  private letGo(holder: Holder): void {
    if (this.live.delete(holder)) this.release(holder);
  }

  private release({ data }: Holder): void {
    if ('native' in data) this.device.release(data.native);
  }

  private copier(dtype: Value['dtype'], to: Place): Copier {
    const key = `${dtype} ${to}`;
    const copier = this.copiers.get(key) ?? new Copier(dtype, to, this.device);
    this.copiers.set(key, copier);
    return copier;
  }
}

/** Copies vectors of any length to a place. */
class Copier {
  private readonly session: ResidentSession;
  private readonly input: string;
  private readonly output: string;

  constructor(
    private readonly dtype: Value['dtype'],
    private readonly to: Place,
    device: ResidentDevice,
  ) {
    const graph = new OnnxGraph('copy');
    // Bits of bfloat16 are whole numbers to a graph's arguments.
    const vector = { shape: [-1], dtype } as const;
    this.input = graph.input(vector);
    this.output = graph.output(this.input, vector);
    this.session = device.session(graph.encode());
  }

  copy(vector: NativeTensor): NativeTensor {
    const [value] = this.session.run(new Map([[this.input, vector]]), new Map([[this.output, this.to]]));
    return { value: value as Pointer, dtype: this.dtype, shape: vector.shape };
  }

  dispose(): void {
    this.session.dispose();
  }
}
