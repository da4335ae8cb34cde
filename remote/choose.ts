/** @file Which files of a repository are needed: weights that are plain data, and what belongs to them. */
import { complain } from '../foundation/index.js';
import type { HubFile } from './repository.js';

/** What a repository is used as. */
export type Use = 'model' | 'adapter';

const COMPANIONS: Readonly<Record<Use, readonly string[]>> = {
  model: [
    'config.json',
    'generation_config.json',
    'tokenizer.json',
    'tokenizer_config.json',
    'special_tokens_map.json',
    'added_tokens.json',
    'tokenizer.model',
    'vocab.json',
    'merges.txt',
    'chat_template.jinja',
    'chat_template.json',
  ],
  adapter: ['adapter_config.json'],
};

/** The name of the file that says which weights are in which shard. */
export const INDEX = 'model.safetensors.index.json';

/** Files to have, and the shards' index where only it says which. */
export interface Chosen {
  readonly files: readonly HubFile[];
  /** One file that is a model by itself. */
  readonly single?: HubFile;
  readonly index?: HubFile;
}

/**
 * Safetensors in one file or in shards; without them a single GGUF file. Never pickles, which run code when loaded.
 * @throws HUB_PICKLE, HUB_WEIGHTS
 */
export function chooseFiles(files: readonly HubFile[], use: Use, owner: string): Chosen {
  const named = (name: string): HubFile | undefined => files.find(({ path }) => path === name);
  const companions = COMPANIONS[use].flatMap((name) => named(name) ?? []);
  if (use === 'adapter') {
    const weights = named('adapter_model.safetensors');
    return weights ? { files: [...companions, weights] } : noWeights(files, use, owner);
  }
  const index = named(INDEX);
  if (index) return { files: [...companions, index], index };
  const weights = named('model.safetensors');
  if (weights) return { files: [...companions, weights] };
  const gguf = files.filter(({ path }) => /\.gguf$/i.test(path));
  const [single] = gguf;
  if (single && gguf.length === 1) return { files: [single], single };
  return noWeights(files, use, owner);
}

/**
 * The shards that an index names.
 * @throws HUB_WEIGHTS
 */
export function shardsOf(index: string, files: readonly HubFile[], owner: string): HubFile[] {
  let map: unknown;
  try {
    map = (JSON.parse(index) as { weight_map?: unknown } | null)?.weight_map;
  } catch {
    map = undefined;
  }
  if (typeof map !== 'object' || map === null) return badIndex(owner, 'a weight_map', 'none');
  return [...new Set(Object.values(map as Record<string, unknown>))].map(
    (name) =>
      files.find(({ path }) => path === name && path.endsWith('.safetensors')) ??
      badIndex(owner, 'shards that are there', JSON.stringify(name)),
  );
}

function badIndex(owner: string, expected: string, got: string): never {
  return complain({
    code: 'HUB_WEIGHTS',
    owner: `${owner}, ${INDEX}`,
    expected,
    got: got.slice(0, 120),
    hint: 'choose another revision, or tell its owner',
  });
}

function noWeights(files: readonly HubFile[], use: Use, owner: string): never {
  const gguf = files.filter(({ path }) => /\.gguf$/i.test(path)).map(({ path }) => path);
  const pickles = files.filter(({ path }) => /\.(bin|pt|pth|ckpt|pkl)$/i.test(path)).map(({ path }) => path);
  const file = use === 'model' ? 'model.safetensors' : 'adapter_model.safetensors';
  if (gguf.length > 1)
    return complain({
      code: 'HUB_WEIGHTS',
      owner,
      expected: 'one GGUF file, or safetensors',
      got: `${gguf.length} GGUF files`,
      hint: `name one of them: ${gguf.slice(0, 12).join(', ')}${gguf.length > 12 ? ', …' : ''}`,
    });
  if (pickles.length > 0)
    return complain({
      code: 'HUB_PICKLE',
      owner,
      expected: `weights as safetensors (${file})`,
      got: `pickles only (${pickles.slice(0, 3).join(', ')}), which can run any code when they are loaded`,
      hint: 'look for a revision with safetensors (refs/pr/1 often has them), or convert the model',
    });
  return complain({
    code: 'HUB_WEIGHTS',
    owner,
    expected: `${file}${use === 'model' ? ', its shards, or a GGUF file' : ''}`,
    got:
      files
        .slice(0, 8)
        .map(({ path }) => path)
        .join(', ') || 'no files',
    hint: `check the name: is it ${use === 'model' ? 'a model' : 'an adapter'}?`,
  });
}
