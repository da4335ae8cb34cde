/** @file Records a definition as a Program: a tfjs backend whose tensors are nodes. Knows nothing about ONNX. */
import * as tf from '@tensorflow/tfjs';
import { complain } from '../foundation/index.js';
import { withBackend } from './backend.js';
import type { Signature } from './executor.js';
import { composed, type Inputs, type RecordKernel } from './composed.js';
import { kernels } from './kernels/index.js';
import type { Attribute, Attributes, ElementType, Program } from './program.js';
import { Recorder, refuseKernel, type TensorInfo } from './recorder.js';
import { isHalf, isValue } from './tensor.js';
import { isTensor } from './tensors.js';
import { flatten, mapTree } from './tree.js';

const BACKEND = 'latstream-trace';

/**
 * Traces `signature.compute`, gradients included, without computing anything.
 * @throws TRACE_NO_LOWERING where it uses an operation that programs do not have.
 * @throws TRACE_READ where it reads a value, TRACE_RANDOM where it draws one.
 */
export function trace(signature: Signature): Program {
  const recorder = new Recorder();
  const inputs = new Map<string, number>();
  const outputs = new Map<string, number>();
  withBackend(BACKEND, () => {
    recording = recorder;
    try {
      tf.tidy(() => {
        const args = mapTree(signature.args, isValue, ({ shape, dtype }, path) => {
          const id = recorder.add({ kernel: 'Input', inputs: [], attributes: {}, shape, dtype });
          inputs.set(path, id);
          return recorder.tensor(isHalf(dtype) ? recorder.apply('Cast', [id], { dtype: 'float32' }) : id);
        });
        const results = flatten(signature.compute(args), isTensor);
        for (const [path, tensor] of results) outputs.set(path, recorder.idOf(tensor));
      });
    } finally {
      recording = undefined;
    }
  });
  return { name: signature.name, nodes: recorder.nodes, inputs, outputs };
}

/** The trace in progress; tfjs's kernels are global functions, so this must be, too. */
let recording: Recorder | undefined;

function active(): Recorder {
  if (!recording) throw new Error('trace: a traced tensor was used after its trace ended');
  return recording;
}

/** The backend itself holds no data: reading is refused, and disposing forgets nothing that the program needs. */
class TracingBackend extends tf.KernelBackend {
  private count = 0;

  override write(values: tf.backend_util.BackendValues, shape: number[], dtype: tf.DataType): object {
    const scope = currentOperation();
    if (/random|multinomial|truncatedNormal/i.test(scope))
      complain({
        code: 'TRACE_RANDOM',
        owner: 'trace',
        expected: 'a function without randomness',
        got: scope,
        hint: 'draw on the host from a key and pass the noise as an argument',
      });
    this.count++;
    const type = elementType(dtype);
    const data =
      type === 'float32'
        ? Float32Array.from(values as Float32Array)
        : type === 'int32'
          ? Int32Array.from(values as Int32Array)
          : Uint8Array.from(values as Uint8Array);
    return active().info(active().literal(data, { shape, dtype: type })).dataId;
  }

  override readSync(): tf.backend_util.BackendValues {
    return complain({
      code: 'TRACE_READ',
      owner: 'trace',
      expected: 'a function that never reads values',
      got: `a read in ${currentOperation()}`,
      hint: 'return the tensor and read it after the run',
    });
  }

  override read(): Promise<tf.backend_util.BackendValues> {
    return Promise.reject(new Error(String(this.readSync())));
  }

  override disposeData(): boolean {
    this.count--;
    return true;
  }

  override numDataIds(): number {
    return this.count;
  }

  override refCount(): number {
    return 1;
  }

  override incRef(): void {
    this.count++;
  }

  override floatPrecision(): 16 | 32 {
    return 32;
  }

  override epsilon(): number {
    return 1e-7;
  }

  override memory(): { unreliable: boolean } {
    return { unreliable: true };
  }
}

/** tfjs names the scope of a public operation `NAME__op`. */
function currentOperation(): string {
  const scope = tf.engine().state.activeScope as { readonly name?: string } | undefined;
  return (scope?.name ?? '').replace(/__op$/, '') || 'the traced function';
}

function elementType(dtype: tf.DataType): ElementType {
  if (dtype === 'float32' || dtype === 'int32' || dtype === 'bool') return dtype;
  return complain({
    code: 'TRACE_TYPE',
    owner: 'trace',
    expected: 'float32, int32 or bool',
    got: dtype,
    hint: 'cast before the program',
  });
}

/** Attributes as plain data: absent ones dropped, typed arrays made arrays. */
function plain(attributes: object | undefined): Attributes {
  const entries = Object.entries((attributes ?? {}) as Record<string, Attribute | null | undefined>);
  return Object.fromEntries(
    entries.filter((entry): entry is [string, Attribute] => entry[1] !== undefined && entry[1] !== null),
  );
}

function register(kernelName: string, record: RecordKernel): void {
  tf.registerKernel({
    kernelName,
    backendName: BACKEND,
    kernelFunc: ({ inputs, attrs }) => {
      const recorder = active();
      const result = record(recorder, inputs as Inputs, plain(attrs));
      return Array.isArray(result) ? result.map((id) => recorder.info(id)) : recorder.info(result);
    },
  });
}

tf.registerBackend(BACKEND, () => new TracingBackend());
for (const [name, record] of Object.entries(composed)) register(name, record);
for (const [name, kernel] of Object.entries(kernels))
  register(name, (recorder, inputs, attributes) => {
    const ordered =
      kernel.inputs === 'list'
        ? Object.values(inputs)
        : kernel.inputs.map((key) => inputs[key] as TensorInfo);
    return recorder.apply(
      name,
      ordered.map((info) => recorder.idOf(info)),
      attributes,
    );
  });
for (const { kernelName } of tf.getKernelsForBackend('cpu'))
  if (!(kernelName in kernels) && !(kernelName in composed))
    register(kernelName, () => refuseKernel(kernelName));
