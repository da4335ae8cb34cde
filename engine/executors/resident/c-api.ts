/**
 * @file ONNX Runtime's C API, called from JavaScript: the library that the Node binding has loaded, with what the binding
 * leaves out (device tensors of CUDA). Knows nothing about programs or values. Needs `koffi`, which the user installs.
 */
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

/** An address; what it points to belongs to the runtime. */
export type Pointer = { readonly pointer: unique symbol } | bigint;

/** A call that may fail: it throws what the runtime says. */
type Call = (...args: readonly unknown[]) => void;

/** A call whose last argument is where its result goes. */
type Getter = (...args: readonly unknown[]) => Pointer;

/** What is used of koffi: its types would need it to be installed. */
interface Koffi {
  load(path: string): { func(prototype: string): (...args: readonly unknown[]) => Pointer };
  proto(prototype: string): object;
  array(type: string, length: number): object;
  call(address: Pointer, type: object, ...args: readonly unknown[]): Pointer | string | null;
  decode(address: Pointer, type: object): Pointer[];
  view(address: Pointer, bytes: number): ArrayBuffer;
}

/** The functions that are used, by their places in `struct OrtApi`, which only ever grows at its end. */
const PLACES = {
  errorMessage: 2,
  createEnvironment: 3,
  createSession: 8,
  createOptions: 10,
  disableMemoryPattern: 17,
  disableArena: 19,
  setOptimization: 23,
  setThreads: 24,
  setOuterThreads: 25,
  createTensor: 49,
  tensorData: 51,
  createMemoryInfo: 68,
  free: 76,
  defaultAllocator: 78,
  releaseStatus: 93,
  releaseSession: 95,
  releaseValue: 96,
  releaseOptions: 100,
  addOption: 130,
  run: 133,
  createBinding: 134,
  releaseBinding: 135,
  bindInput: 136,
  bindOutput: 138,
  outputs: 140,
  appendCuda: 204,
  createCudaOptions: 205,
  updateCudaOptions: 206,
  releaseCudaOptions: 208,
} as const;

/** Since this version the places hold. */
const API_VERSION = 17;

/** The calls, with the runtime's own objects as pointers. */
export interface CApi {
  readonly environment: Pointer;
  /** Where a tensor's memory is, by the name of its allocator: `Cpu`, `Cuda`. */
  memory(allocator: string, device: number): Pointer;
  readonly createOptions: Getter;
  readonly disableMemoryPattern: Call;
  readonly disableArena: Call;
  readonly setOptimization: Call;
  readonly setThreads: Call;
  readonly setOuterThreads: Call;
  readonly addOption: Call;
  readonly appendCuda: Call;
  readonly createCudaOptions: Getter;
  readonly updateCudaOptions: Call;
  readonly createSession: Getter;
  readonly createTensor: Getter;
  readonly createBinding: Getter;
  readonly bindInput: Call;
  readonly bindOutput: Call;
  readonly run: Call;
  /** Results in the order in which they were bound; to be released by the caller. */
  outputs(binding: Pointer, count: number): Pointer[];
  /** The bytes of a tensor in host memory, as long as it lives. */
  bytes(value: Pointer, length: number): ArrayBuffer;
  /** Where a tensor's data is, on whatever device. */
  address(value: Pointer): Pointer;
  release(what: 'Session' | 'Value' | 'Binding' | 'Options' | 'CudaOptions', pointer: Pointer): void;
}

let loaded: Promise<CApi | undefined> | undefined;

/** The API; undefined where koffi is not installed. @throws what keeps the library from being loaded. */
export function loadCApi(): Promise<CApi | undefined> {
  return (loaded ??= open());
}

async function open(): Promise<CApi | undefined> {
  const koffi = await koffiOrNone();
  if (!koffi) return undefined;
  const manifest = createRequire(import.meta.url).resolve('onnxruntime-node/package.json');
  const folder = join(dirname(manifest), 'bin/napi-v6', process.platform, process.arch);
  const base = koffi.load(join(folder, 'libonnxruntime.so.1')).func('void *OrtGetApiBase()')();
  const [get] = koffi.decode(base, koffi.array('void *', 1)) as [Pointer];
  const api = koffi.call(get, koffi.proto('void *LatstreamApi(uint32_t version)'), API_VERSION) as Pointer;
  return ofTable(koffi, koffi.decode(api, koffi.array('void *', PLACES.releaseCudaOptions + 1)));
}

async function koffiOrNone(): Promise<Koffi | undefined> {
  if (process.platform !== 'linux') return undefined;
  const name: string = 'koffi';
  try {
    const module = (await import(name)) as Koffi & { readonly default?: Koffi };
    return module.default ?? module;
  } catch {
    return undefined;
  }
}

type Name = keyof typeof PLACES;

/** A function of the table, as it is declared in C. */
type Raw = (name: Name, returns: string, parameters: string) => (...args: readonly unknown[]) => unknown;

function ofTable(koffi: Koffi, table: readonly Pointer[]): CApi {
  const raw: Raw = (name, returns, parameters) => {
    const type = koffi.proto(`${returns} Latstream_${name}(${parameters})`);
    return (...args) => koffi.call(table[PLACES[name]] as Pointer, type, ...args);
  };
  const message = raw('errorMessage', 'const char *', 'void *status');
  const releaseStatus = raw('releaseStatus', 'void', 'void *status');
  const call = (name: Name, parameters: string): Call => {
    const unchecked = raw(name, 'void *', parameters);
    return (...args) => {
      const status = unchecked(...args);
      if (status === null) return;
      const text = String(message(status));
      releaseStatus(status);
      throw new Error(text);
    };
  };
  const getter = (name: Name, parameters: string): Getter => {
    const checked = call(name, parameters);
    return (...args) => {
      const out: [Pointer | null] = [null];
      checked(...args, out);
      return out[0] as Pointer;
    };
  };
  return functions(koffi, raw, call, getter);
}

function functions(
  koffi: Koffi,
  raw: Raw,
  call: (name: Name, parameters: string) => Call,
  getter: (name: Name, parameters: string) => Getter,
): CApi {
  const environment = getter('createEnvironment', 'int level, const char *name, _Out_ void **out')(
    2,
    'latstream',
  );
  const allocator = getter('defaultAllocator', '_Out_ void **out')();
  const free = raw('free', 'void', 'void *allocator, void *memory');
  const createMemoryInfo = getter(
    'createMemoryInfo',
    'const char *name, int kind, int id, int type, _Out_ void **out',
  );
  const outputs = call('outputs', 'void *binding, void *allocator, _Out_ void **values, _Out_ size_t *count');
  const address = getter('tensorData', 'void *value, _Out_ void **out');
  const releases = {
    Session: raw('releaseSession', 'void', 'void *session'),
    Value: raw('releaseValue', 'void', 'void *value'),
    Binding: raw('releaseBinding', 'void', 'void *binding'),
    Options: raw('releaseOptions', 'void', 'void *options'),
    CudaOptions: raw('releaseCudaOptions', 'void', 'void *options'),
  };
  return {
    environment,
    memory: (name, device) => createMemoryInfo(name, 0, device, 0),
    ...optionFunctions(call, getter),
    createSession: getter(
      'createSession',
      'void *env, const void *model, size_t length, void *options, _Out_ void **out',
    ),
    createTensor: getter(
      'createTensor',
      'void *memory, void *data, size_t bytes, const int64_t *shape, size_t rank, int type, _Out_ void **out',
    ),
    createBinding: getter('createBinding', 'void *session, _Out_ void **out'),
    bindInput: call('bindInput', 'void *binding, const char *name, void *value'),
    bindOutput: call('bindOutput', 'void *binding, const char *name, void *memory'),
    run: call('run', 'void *session, void *options, void *binding'),
    outputs: (binding, count) => {
      const values: [Pointer | null] = [null];
      outputs(binding, allocator, values, [null]);
      const found = koffi.decode(values[0] as Pointer, koffi.array('void *', count));
      free(allocator, values[0]);
      return found;
    },
    bytes: (value, length) => koffi.view(address(value), length),
    address,
    release: (what, pointer) => void releases[what](pointer),
  };
}

function optionFunctions(
  call: (name: Name, parameters: string) => Call,
  getter: (name: Name, parameters: string) => Getter,
) {
  return {
    createOptions: getter('createOptions', '_Out_ void **out'),
    disableMemoryPattern: call('disableMemoryPattern', 'void *options'),
    disableArena: call('disableArena', 'void *options'),
    setOptimization: call('setOptimization', 'void *options, int level'),
    setThreads: call('setThreads', 'void *options, int threads'),
    setOuterThreads: call('setOuterThreads', 'void *options, int threads'),
    addOption: call('addOption', 'void *options, const char *key, const char *value'),
    appendCuda: call('appendCuda', 'void *options, void *cuda'),
    createCudaOptions: getter('createCudaOptions', '_Out_ void **out'),
    updateCudaOptions: call(
      'updateCudaOptions',
      'void *cuda, const char **keys, const char **values, size_t count',
    ),
  };
}
