/** @file Values on a GPU: brought there when first used, kept, replaced, brought back, let go. Knows nothing about programs. */
import * as ort from 'onnxruntime-node';
import { OnnxGraph } from '../onnx.js';
import { bytesOf } from '../program.js';
import { float32, int32, sizeOf, type HostTensor, type Value } from '../tensor.js';
import { bound, onHost, type Held } from './host-memory.js';
import { createSession, type SessionOptions } from './session.js';

/** What a value's data is in: host memory until a program reads it, then a buffer of the device. */
interface Holder {
  data: Held | ort.Tensor;
}

class DeviceValue implements Value {
  constructor(
    readonly dtype: Type,
    readonly shape: readonly number[],
    readonly holder: Holder,
  ) {}
}

/** What a buffer may hold: the provider has no bfloat16. */
type Type = 'float32' | 'int32' | 'float16';

/** Fewer elements are passed from host memory with every run: cheaper than a buffer. */
const WORTH_A_BUFFER = 1024;
/** So many bytes of results may wait for the garbage collector, which does not see how large they are. */
const MOST_WAITING = 2 ** 28;

/** The values of one executor. */
export class DeviceMemory {
  private readonly copiers = new Map<string, Copier>();
  /** A buffer that nobody released lives until its value is collected: the runtime would keep it for ever. */
  private readonly unreachable = new FinalizationRegistry<Holder>((holder) => this.letGo(holder));
  private readonly live = new Set<Holder>();
  private waiting = 0;

  /** @param collect has the garbage collector run now. */
  constructor(
    private readonly options: SessionOptions,
    private readonly collect: () => void,
  ) {}

  /** Host data as a value; it moves when a program first reads it. */
  hold(tensor: Held): Value {
    return this.value(tensor.dtype as Type, tensor.shape, tensor);
  }

  /** A value as a program's argument. */
  async feed(value: Value): Promise<ort.Tensor> {
    if (!(value instanceof DeviceValue)) return bound(value as Held);
    const { holder, dtype, shape } = value;
    if (!onDevice(holder.data)) {
      if (sizeOf(shape) < WORTH_A_BUFFER) return bound(holder.data);
      const vector = bound({ ...holder.data, shape: [holder.data.data.length] });
      holder.data = await this.copier(dtype, 'gpu-buffer').copy(vector);
    }
    return shaped(holder.data, shape);
  }

  /** A program's result as a value: in place of `target`, whose former data is released, or fresh. */
  async keep(result: ort.Tensor, target: Value | undefined): Promise<Value> {
    const data = onDevice(result) && result.location === 'gpu-buffer' ? result : hostOf(result);
    const fresh = this.value(result.type as Type, result.dims, data);
    if (target === undefined) return fresh;
    if (target instanceof DeviceValue) {
      release(target.holder);
      target.holder.data = data;
      this.forget(fresh.holder);
      return target;
    }
    (target as HostTensor).data.set((await this.download(fresh)).data);
    this.forget(fresh.holder);
    release(fresh.holder);
    return target;
  }

  /** A value's data in host memory. */
  async download(value: Value): Promise<HostTensor> {
    if (!(value instanceof DeviceValue)) return onHost(value as Held);
    const { holder, dtype, shape } = value;
    if (!onDevice(holder.data)) return onHost(holder.data);
    const vector = shaped(holder.data, [sizeOf(shape)]);
    return { ...onHost(hostOf(await this.copier(dtype, 'cpu').copy(vector))), shape };
  }

  /** Buffers go before the last session, which takes the device with it. */
  async dispose(): Promise<void> {
    for (const holder of this.live) this.letGo(holder);
    for (const copier of this.copiers.values()) await copier.dispose();
    this.copiers.clear();
  }

  private value(dtype: Type, shape: readonly number[], data: Holder['data']): DeviceValue {
    const value = new DeviceValue(dtype, shape, { data });
    this.live.add(value.holder);
    this.unreachable.register(value, value.holder, value.holder);
    if (onDevice(data)) {
      // A session that stays, so that values outlive those that programs had.
      this.copier('float32', 'cpu');
      if ((this.waiting += bytesOf({ dtype, shape })) > MOST_WAITING) {
        this.waiting = 0;
        this.collect();
      }
    }
    return value;
  }

  private letGo(holder: Holder): void {
    if (this.live.delete(holder)) release(holder);
  }

  /** Its data has another holder now. */
  private forget(holder: Holder): void {
    this.live.delete(holder);
    this.unreachable.unregister(holder);
  }

  private copier(dtype: Type, to: Place): Copier {
    const key = `${dtype} ${to}`;
    const copier = this.copiers.get(key) ?? new Copier(dtype, to, this.options);
    this.copiers.set(key, copier);
    return copier;
  }
}

type Place = 'cpu' | 'gpu-buffer';

/** Copies vectors of any length to a place: the binding has no other way, and its `getData` ends the process. */
class Copier {
  private readonly session: Promise<ort.InferenceSession>;
  private readonly input: string;
  private readonly output: string;

  constructor(dtype: Type, to: Place, options: SessionOptions) {
    const graph = new OnnxGraph('copy');
    const vector = { shape: [-1], dtype };
    this.input = graph.input(vector);
    this.output = graph.output(this.input, vector);
    this.session = createSession(graph.encode(), 'copy', options, { [this.output]: to });
  }

  async copy(vector: ort.Tensor): Promise<ort.Tensor> {
    const session = await this.session;
    return (await session.run({ [this.input]: vector }))[this.output] as ort.Tensor;
  }

  async dispose(): Promise<void> {
    await (await this.session).release();
  }
}

const onDevice = (data: Held | ort.Tensor): data is ort.Tensor => data instanceof ort.Tensor;

function release({ data }: Holder): void {
  if (onDevice(data)) data.dispose();
}

/** Another view of a buffer, which it does not own. */
function shaped({ gpuBuffer, type }: ort.Tensor, dims: readonly number[]): ort.Tensor {
  return ort.Tensor.fromGpuBuffer(gpuBuffer, { dataType: type as Type, dims });
}

function hostOf({ type, dims, data }: ort.Tensor): Held {
  if (type === 'float32') return float32(dims, data as Float32Array);
  if (type === 'int32') return int32(dims, data as Int32Array);
  const { buffer, byteOffset, length } = data as Uint16Array;
  return { dtype: 'float16', shape: dims, data: new Uint16Array(buffer, byteOffset, length) };
}
