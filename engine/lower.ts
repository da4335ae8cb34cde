/** @file Program → ONNX model, node by node through the kernel table. */
import { at, kernels, type Lowerings } from './kernels/index.js';
import { OnnxGraph } from './onnx.js';
import type { Program } from './program.js';
import { refuseKernel } from './recorder.js';

/** A serialised model, and the names that arguments and results have in it, by path. */
export interface LoweredProgram {
  readonly model: Uint8Array;
  readonly inputs: ReadonlyMap<string, string>;
  readonly outputs: ReadonlyMap<string, string>;
}

/**
 * Lowers a program to one ONNX graph.
 * @param instead lowerings that take the place of the table's, by kernel.
 */
export function lower(program: Program, instead: Lowerings = {}): LoweredProgram {
  const graph = new OnnxGraph(program.name);
  const values: string[] = [];
  const names = new Map<number, string>();
  for (const [id, node] of program.nodes.entries()) {
    if (node.kernel === 'Input') {
      const name = graph.input(node);
      names.set(id, name);
      values.push(graph.valueOf(name, node));
    } else if (node.kernel === 'Constant') values.push(graph.constant(node.data as Float32Array, node));
    else {
      const kernel = kernels[node.kernel] ?? refuseKernel(node.kernel);
      values.push(
        (instead[node.kernel] ?? kernel.lower)({
          emit: graph,
          inputs: node.inputs.map((id) => at(values, id)),
          metas: node.inputs.map((id) => at(program.nodes, id)),
          output: node,
          attributes: node.attributes,
        }),
      );
    }
  }
  const inputs = new Map([...program.inputs].map(([path, id]) => [path, names.get(id) as string]));
  const outputs = new Map(
    [...program.outputs].map(([path, id]) => [path, graph.output(at(values, id), at(program.nodes, id))]),
  );
  return { model: graph.encode(), inputs, outputs };
}
