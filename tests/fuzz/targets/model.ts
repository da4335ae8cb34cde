/** @file Model folders: configuration, weights in one file, and weights in shards with an index. */
import fc from 'fast-check';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { initialParameters, parseModelConfig } from '../../../engine/index.js';
import { loadModel, saveModel } from '../../../engine/models/index.js';
import { writeSafetensors } from '../../../formats/index.js';
import { byteMutation } from '../bytes.js';
import { jsonMutation } from '../json.js';
import { Broken, type Files, type Target } from '../target.js';
import { safetensorsMutation } from './safetensors.js';

/** A model of a few hundred weights. */
export const SMALL = parseModelConfig({
  architectures: ['LlamaForCausalLM'],
  vocab_size: 8,
  hidden_size: 4,
  intermediate_size: 6,
  num_hidden_layers: 1,
  num_attention_heads: 2,
  num_key_value_heads: 1,
  max_position_embeddings: 16,
  rms_norm_eps: 1e-5,
  rope_theta: 10_000,
  rope_scaling: {
    rope_type: 'llama3',
    factor: 8,
    low_freq_factor: 1,
    high_freq_factor: 4,
    original_max_position_embeddings: 8,
  },
  sliding_window: 8,
  bos_token_id: 1,
  eos_token_id: [2, 3],
});

export const model: Target = {
  name: 'model',
  weight: 4,
  async seeds(scratch) {
    const parameters = initialParameters(SMALL, 1);
    await saveModel(scratch, { config: SMALL, parameters });
    const config = await readFile(join(scratch, 'config.json'));
    const whole = {
      'config.json': config,
      'model.safetensors': await readFile(join(scratch, 'model.safetensors')),
    };
    const families = ['gemma2', 'phi3', 'gpt2', 'gpt_neo'].map(async (family) => ({
      'config.json': await readFile(join('tests/fixtures/families', family, 'config.json')),
      'model.safetensors': await readFile(join('tests/fixtures/families', family, 'model.safetensors')),
    }));
    return [whole, await sharded(scratch, config, parameters), ...(await Promise.all(families))];
  },
  mutations: (file) =>
    file.endsWith('.json')
      ? fc.oneof({ weight: 5, arbitrary: jsonMutation }, { weight: 1, arbitrary: byteMutation })
      : safetensorsMutation,
  async run(folder) {
    const { config, parameters } = await loadModel(folder);
    for (const [name, { shape, data }] of Object.entries(parameters))
      if (shape.reduce((product, extent) => product * extent, 1) !== data.length) throw new Broken(name);
    if (!Number.isSafeInteger(config.layers * config.width)) throw new Broken('dimensions beyond reach');
  },
};

async function sharded(
  scratch: string,
  config: Uint8Array,
  parameters: ReturnType<typeof initialParameters>,
): Promise<Files> {
  const names = Object.keys(parameters);
  const files: Record<string, Uint8Array> = { 'config.json': config };
  const map: Record<string, string> = {};
  for (const part of [0, 1]) {
    const file = `model-0000${part + 1}-of-00002.safetensors`;
    const chosen = Object.entries(parameters).filter((_, at) => at % 2 === part);
    await writeSafetensors(join(scratch, file), Object.fromEntries(chosen));
    files[file] = await readFile(join(scratch, file));
  }
  names.forEach((name, at) => (map[name] = `model-0000${(at % 2) + 1}-of-00002.safetensors`));
  const index = { metadata: { total_size: 1 }, weight_map: map };
  return { ...files, 'model.safetensors.index.json': Buffer.from(JSON.stringify(index)) };
}
