/** @file Runs programs compiled on a device whose values stay there between runs, over ONNX Runtime's C API. Its calls block the thread. */
import { setImmediate } from 'node:timers/promises';
import type { Executable, Executor, Leaves } from '../../executor.js';
import type { Meta } from '../../program.js';
import { sizeOf, type Value } from '../../tensor.js';
import { leafAt } from '../../tree.js';
import { collectGarbage } from '../collect.js';
import { compiled, compiledLoop, type Compiled, type Compiling } from '../compiled.js';
import { RUNTIME } from '../session.js';
import type { CApi } from './c-api.js';
import { ResidentDevice, type NativeTensor, type Place, type ResidentOptions } from './session.js';
import { ResidentValues } from './values.js';

/** Results of fewer elements (losses, norms) come to the host at once: they are read there. */
const STAYS = 64;

/** The executor: weights, δ and moments cross the bus once, and every session reads the same ones. */
export function residentExecutor(api: CApi, options: ResidentOptions & Compiling): Executor {
  const device = new ResidentDevice(api, options);
  const values = new ResidentValues(device, collectGarbage);
  const ready = (program: Compiled): Executable => executable(program, device, values);
  const precision = options.halving && { precision: options.halving.type };
  return {
    name: `onnxruntime-${options.provider}`,
    ...precision,
    fingerprint: { runtime: RUNTIME, threads: options.threads, ...precision },
    upload: (tensor) => values.hold(tensor),
    download: (value) => Promise.resolve(values.download(value)),
    compile: (signature) => Promise.resolve(ready(compiled(signature, options))),
    compileLoop: (signature, varies) => {
      const { once, each } = compiledLoop(signature, varies, options);
      return Promise.resolve({ ...(once && { once: ready(once) }), each: ready(each) });
    },
    dispose: () => {
      values.dispose();
      return Promise.resolve();
    },
  };
}

function executable(program: Compiled, device: ResidentDevice, values: ResidentValues): Executable {
  const session = device.session(program.model);
  const metas = new Map([...program.outputs.keys()].map((path) => [path, metaOf(program, path)] as const));
  const places = new Map<string, Place>(
    [...program.outputs].map(([path, name]) => {
      return [name, sizeOf(metas.get(path)?.shape ?? []) < STAYS ? 'host' : 'device'];
    }),
  );
  const run = (inputs: Leaves<Value>, into: Leaves<Value>, borrowed: NativeTensor[]): Leaves<Value> => {
    const feeds = new Map(
      [...program.inputs].map(([path, name]) => {
        return [name, values.feed(leafAt(inputs, path, `program ${program.name}`), borrowed)] as const;
      }),
    );
    const found = session.run(feeds, places);
    return new Map(
      [...program.outputs].map(([path, name], at) => {
        const [value, place, meta] = [found[at], places.get(name), metas.get(path)] as const;
        return [path, values.keep(value as bigint, place as Place, meta as Value, into.get(path))];
      }),
    );
  };
  return {
    bytes: program.bytes,
    run: async (inputs, into) => {
      // Between two runs others get their turn, and finalizers, which release what was let go.
      await setImmediate();
      const borrowed: NativeTensor[] = [];
      try {
        return run(inputs, into, borrowed);
      } finally {
        for (const tensor of borrowed) device.releaseView(tensor);
      }
    },
    dispose: () => {
      session.dispose();
      return Promise.resolve();
    },
  };
}

function metaOf({ metas }: Compiled, path: string): Value {
  return metas.get(path) as Meta & Value;
}
