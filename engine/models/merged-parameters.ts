/** @file A model's parameters with adapters added to them, matrix by matrix. Runs through an Engine. */
import type { Engine } from '../engine.js';
import type { Definition } from '../executor.js';
import type { Tensor } from '../ops.js';
import type { HostTensor } from '../tensor.js';
import { adaptedModules, adapterScale, mergedMatrix } from './lora.js';
import type { ModelConfig } from './model-config.js';
import type { Adapters } from './peft.js';

type Matrices = { readonly weight: Tensor; readonly down: Tensor; readonly up: Tensor };

/**
 * Parameters with W + α/rank·B·A for every adapted matrix; the others are the same objects.
 * @param onMatrix called after each.
 */
export async function mergedParameters(
  engine: Engine,
  config: ModelConfig,
  parameters: Readonly<Record<string, HostTensor>>,
  { lora, adapters }: Adapters,
  onMatrix: () => void = () => undefined,
): Promise<Record<string, HostTensor>> {
  const scale = adapterScale(lora);
  const merged: Record<string, HostTensor> = { ...parameters };
  for (const [path, { inputsFirst }] of adaptedModules(config, lora.projections)) {
    const [down, up] = [adapters[`${path}.lora_A`], adapters[`${path}.lora_B`]];
    if (!down || !up) continue;
    const name = `${path}.weight`;
    const definition: Definition<Matrices, { readonly merged: Tensor }> = {
      name: `merge ${scale} ${inputsFirst}`,
      compute: (args) => ({ merged: mergedMatrix(args.weight, args.down, args.up, scale, inputsFirst) }),
    };
    const result = await engine.run(definition, {
      weight: engine.upload(parameters[name] as HostTensor),
      down: engine.upload(down),
      up: engine.upload(up),
    });
    merged[name] = await engine.download(result.merged);
    onMatrix();
  }
  return merged;
}
