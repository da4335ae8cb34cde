/** @file An executor that notes how long every run of a program took. Changes no result. */
import type { Executable, Executor } from '../engine/index.js';

/** One run: from the call to its results. */
export interface ProgramRun {
  readonly program: string;
  readonly seconds: number;
}

export interface Watched {
  readonly executor: Executor;
  /** Runs since the last `forget`. */
  readonly runs: () => readonly ProgramRun[];
  readonly forget: () => void;
}

export function watched(executor: Executor): Watched {
  let runs: ProgramRun[] = [];
  const watch = (program: string, executable: Executable): Executable => ({
    bytes: executable.bytes,
    dispose: () => executable.dispose(),
    run: async (inputs, into) => {
      const start = performance.now();
      const results = await executable.run(inputs, into);
      runs.push({ program, seconds: (performance.now() - start) / 1000 });
      return results;
    },
  });
  return {
    runs: () => runs,
    forget: () => (runs = []),
    executor: {
      ...executor,
      compile: async (signature) => watch(signature.name, await executor.compile(signature)),
      compileLoop: async (signature, varies) => {
        const { once, each } = await executor.compileLoop(signature, varies);
        return {
          ...(once && { once: watch(`${signature.name} once`, once) }),
          each: watch(signature.name, each),
        };
      },
    },
  };
}
