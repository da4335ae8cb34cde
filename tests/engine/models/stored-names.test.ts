/** @file The names that checkpoints in the wild use for the tensors of one model. */
import { describe, expect, it } from 'vitest';
import type { HostTensor } from '../../../engine/index.js';
import { storedNames, untangled } from '../../../engine/models/stored-names.js';
import { FAMILIES, noise, tinyModel } from './tiny.js';

const renamed = (tensors: Readonly<Record<string, HostTensor>>, by: (name: string) => string) =>
  Object.fromEntries(Object.entries(tensors).map(([name, tensor]) => [by(name), tensor]));

describe('untangled', () => {
  it.each(Object.entries(FAMILIES))('%s is read with and without its prefix', (_, family) => {
    const { config, parameters } = tinyModel(1, family);
    const bare = renamed(parameters, (name) => name.replace(`${config.modules.base}.`, ''));
    const known = new Set(storedNames(config));
    expect(Object.keys(bare).every((name) => known.has(name))).toBe(true);
    expect(untangled(config, bare)).toEqual({ config, parameters });
    expect(untangled(config, parameters)).toEqual({ config, parameters });
  });

  it('tied weights are read under either name, and twice', () => {
    const { config, parameters } = tinyModel(2, FAMILIES['gemma2']);
    const [input, output] = ['model.embed_tokens.weight', 'lm_head.weight'];
    const headOnly = renamed(parameters, (name) => (name === input ? output : name));
    expect(untangled(config, headOnly).parameters[input]).toBe(parameters[input]);
    expect(untangled(config, headOnly).parameters).not.toHaveProperty([output]);
    const twice = { ...parameters, [output]: parameters[input]! };
    expect(untangled(config, twice)).toEqual({ config, parameters });
  });

  it('weights that differ are not tied, whatever the configuration says', () => {
    const { config, parameters } = tinyModel(2, { tie_word_embeddings: true });
    const both = { ...parameters, 'lm_head.weight': noise(9, [11, 8]) };
    expect(untangled(config, both)).toEqual({ config: { ...config, tied: false }, parameters: both });
  });

  it('the head of GPT-NeoX goes by its old and its new name', () => {
    const { config, parameters } = tinyModel(3, FAMILIES['gpt_neox']);
    const anew = renamed(parameters, (name) => name.replace('embed_out', 'lm_head'));
    expect(untangled(config, anew)).toEqual({ config, parameters });
  });
});
