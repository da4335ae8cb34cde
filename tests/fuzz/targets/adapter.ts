/** @file PEFT adapter folders. */
import fc from 'fast-check';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { initialAdapters } from '../../../engine/index.js';
import { readAdapters, writeAdapters } from '../../../engine/models/index.js';
import { byteMutation } from '../bytes.js';
import { jsonMutation } from '../json.js';
import { Broken, type Target } from '../target.js';
import { SMALL } from './model.js';
import { safetensorsMutation } from './safetensors.js';

const FILES = ['adapter_config.json', 'adapter_model.safetensors'];
const LORA = { rank: 2, alpha: 4, projections: ['q_proj', 'down_proj'] as const };

export const adapter: Target = {
  name: 'adapter',
  weight: 3,
  async seeds(scratch) {
    await writeAdapters(scratch, SMALL, { lora: LORA, adapters: initialAdapters(SMALL, LORA, 1) });
    const files = await Promise.all(
      FILES.map(async (name) => [name, await readFile(join(scratch, name))] as const),
    );
    return [Object.fromEntries(files)];
  },
  mutations: (file) =>
    file.endsWith('.json')
      ? fc.oneof({ weight: 5, arbitrary: jsonMutation }, { weight: 1, arbitrary: byteMutation })
      : safetensorsMutation,
  async run(folder) {
    const { lora, adapters } = await readAdapters(folder, SMALL);
    if (!Number.isFinite(lora.alpha / lora.rank)) throw new Broken(`a scale of ${lora.alpha} / ${lora.rank}`);
    if (Object.keys(adapters).length === 0) throw new Broken('no adapters');
  },
};
