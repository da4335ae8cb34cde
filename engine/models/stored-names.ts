/** @file The names under which checkpoints keep a model's tensors: with and without its prefix, tied weights once or twice. */
import type { HalfTensor, HostTensor } from '../tensor.js';
import type { ModelConfig } from './model-config.js';
import { embeddingName, headName } from './modules.js';
import { parameterShapes } from './parameters.js';

/** From stored names to the model's own; others are no tensors of the model. The head counts even where it is tied. */
function spelling(config: ModelConfig): Map<string, string> {
  const { base, heads } = config.modules;
  const names = Object.keys(parameterShapes({ ...config, tied: false }));
  const known = new Map(names.flatMap((name) => [[name, name], [name.replace(`${base}.`, ''), name]])); // prettier-ignore
  for (const head of heads) known.set(`${head}.weight`, headName(config.modules));
  return known;
}

/** Every name under which a checkpoint may keep a tensor of the model. */
export function storedNames(config: ModelConfig): Iterable<string> {
  return spelling(config).keys();
}

/**
 * Stored tensors under the names that the decoder asks for. Of tied weights that are stored under both names the head goes,
 * unless it differs in what is kept of it: then they are not tied, whatever the configuration says (as transformers decides, too).
 */
export function untangled<T extends HostTensor | HalfTensor>(
  config: ModelConfig,
  stored: Readonly<Record<string, T>>,
): { readonly config: ModelConfig; readonly parameters: Readonly<Record<string, T>> } {
  const known = spelling(config);
  const parameters = Object.fromEntries(
    Object.entries(stored).map(([name, tensor]) => [known.get(name) ?? name, tensor]),
  );
  if (!config.tied) return { config, parameters };
  const [embedding, head] = [embeddingName(config.modules), headName(config.modules)];
  const { [head]: output, ...rest } = parameters;
  if (!output) return { config, parameters };
  const input = rest[embedding];
  if (!input) return { config, parameters: { ...rest, [embedding]: output } };
  return equal(input, output)
    ? { config, parameters: rest }
    : { config: { ...config, tied: false }, parameters };
}

function equal(a: HostTensor | HalfTensor, b: HostTensor | HalfTensor): boolean {
  return a.data.length === b.data.length && a.data.every((value, index) => value === b.data[index]);
}
