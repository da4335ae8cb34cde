/** @file Sessions over the runtime's C API: tensors of a device go in and come out. Knows nothing about values or programs. */
import { ONNX_TYPE } from '../../kernels/index.js';
import { bytesOf } from '../../program.js';
import type { Value } from '../../tensor.js';
import type { Held } from '../host-memory.js';
import { hasNativeMemory } from '../native-memory.js';
import type { CApi, Pointer } from './c-api.js';

/** The device: CUDA's, or host memory where the same calls are tried without one. */
export interface ResidentOptions {
  readonly threads: number;
  readonly provider: 'cuda' | 'cpu';
  readonly device?: number;
}

/** A tensor of the runtime. A view has the memory of its owner, which it keeps. */
export interface NativeTensor {
  readonly value: Pointer;
  readonly owner?: Pointer;
  readonly dtype: Value['dtype'];
  readonly shape: readonly number[];
}

/** Where a result is wanted. */
export type Place = 'host' | 'device';

/** The device of one executor, and the tensors on it. */
export class ResidentDevice {
  private readonly host: Pointer;
  private readonly there: Pointer;

  constructor(
    private readonly api: CApi,
    readonly options: ResidentOptions,
  ) {
    this.host = api.memory('Cpu', 0);
    this.there = options.provider === 'cuda' ? api.memory('Cuda', options.device ?? 0) : this.host;
  }

  /** Host memory as a tensor that borrows it: it must outlive the run. */
  borrow({ dtype, shape, data }: Held): NativeTensor {
    return { value: this.tensor(this.host, data, { dtype, shape }), dtype, shape };
  }

  /** Another shape of a tensor's memory; it is the owner's from now on to release both. */
  shaped(tensor: NativeTensor, shape: readonly number[]): NativeTensor {
    const { dtype, value, owner = value } = tensor;
    const data = this.api.address(value);
    return { value: this.tensor(this.there, data, { dtype, shape }), owner, dtype, shape };
  }

  /** Releases a tensor, and its owner. */
  release({ value, owner }: NativeTensor): void {
    this.api.release('Value', value);
    if (owner !== undefined) this.api.release('Value', owner);
  }

  /** Releases a view alone. */
  releaseView({ value }: NativeTensor): void {
    this.api.release('Value', value);
  }

  /** A copy of a tensor's data, which must be in host memory. */
  read({ value, dtype, shape }: NativeTensor): Held {
    const bytes = this.api.bytes(value, bytesOf({ dtype, shape })).slice(0);
    if (dtype === 'float32') return { dtype, shape, data: new Float32Array(bytes) };
    if (dtype === 'int32') return { dtype, shape, data: new Int32Array(bytes) };
    return { dtype, shape, data: new Uint16Array(bytes) };
  }

  /** A session of a serialised model. @throws what the runtime has against it. */
  session(model: Uint8Array): ResidentSession {
    const options = this.sessionOptions();
    try {
      const { api } = this;
      const session = api.createSession(api.environment, model, model.byteLength, options);
      return new ResidentSession(api, session, { host: this.host, device: this.there });
    } finally {
      this.api.release('Options', options);
    }
  }

  /** As `createSession` of the Node binding's sessions has them. */
  private sessionOptions(): Pointer {
    const { api } = this;
    const options = api.createOptions();
    api.setThreads(options, this.options.threads);
    api.setOuterThreads(options, 1);
    api.setOptimization(options, 99);
    api.disableMemoryPattern(options);
    if (hasNativeMemory()) api.disableArena(options);
    api.addOption(options, 'optimization.disable_specified_optimizers', 'CommonSubexpressionElimination');
    if (this.options.provider === 'cuda') this.appendCuda(options);
    return options;
  }

  private appendCuda(options: Pointer): void {
    const { api } = this;
    const cuda = api.createCudaOptions();
    try {
      const settings = {
        device_id: String(this.options.device ?? 0),
        // Products with 10 bits of mantissa only where the user asks for them.
        use_tf32: process.env['NVIDIA_TF32_OVERRIDE'] === '1' ? '1' : '0',
        // Each session has an arena of its own: none should take twice what it needs.
        arena_extend_strategy: 'kSameAsRequested',
      };
      const keys = Object.keys(settings);
      api.updateCudaOptions(cuda, keys, Object.values(settings), keys.length);
      api.appendCuda(options, cuda);
    } finally {
      api.release('CudaOptions', cuda);
    }
  }

  private tensor(memory: Pointer, data: unknown, meta: Pick<Value, 'dtype' | 'shape'>): Pointer {
    const { dtype, shape } = meta;
    const type = ONNX_TYPE[dtype === 'bfloat16' ? 'uint16' : dtype];
    const dims = BigInt64Array.from(shape, BigInt);
    return this.api.createTensor(memory, data, bytesOf(meta), dims, shape.length, type);
  }
}

/** A session; runs block the thread. */
export class ResidentSession {
  constructor(
    private readonly api: CApi,
    private readonly session: Pointer,
    private readonly places: Readonly<Record<Place, Pointer>>,
  ) {}

  /** @param feeds by name. @param wanted names and places of results, which come in that order, to be released. */
  run(feeds: ReadonlyMap<string, NativeTensor>, wanted: ReadonlyMap<string, Place>): Pointer[] {
    const { api } = this;
    const binding = api.createBinding(this.session);
    try {
      for (const [name, { value }] of feeds) api.bindInput(binding, name, value);
      for (const [name, place] of wanted) api.bindOutput(binding, name, this.places[place]);
      api.run(this.session, null, binding);
      return api.outputs(binding, wanted.size);
    } finally {
      api.release('Binding', binding);
    }
  }

  dispose(): void {
    this.api.release('Session', this.session);
  }
}
