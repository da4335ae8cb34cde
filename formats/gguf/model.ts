/** @file A GGUF file as a model folder: configuration, tokenizer and tensors as Hugging Face would have them. */
import { complain } from '../../foundation/index.js';
import { toBits, type HalfType } from '../half.js';
import type { ModelFile, ModelFolder } from '../model-folder.js';
import type { StoredHalf, StoredTensor } from '../stored-tensor.js';
import { architectureOf, headsOf, hubConfig } from './config.js';
import type { GgufTensor } from './header.js';
import { changeOf, fits, shapeBefore, undo, type Change } from './layout.js';
import { hubName } from './names.js';
import { openGguf, type Gguf } from './open.js';
import { hubTokenizer, hubTokenizerConfig } from './tokenizer.js';

/** A tensor of the file, and what it was before it was converted. */
interface Known {
  readonly stored: GgufTensor;
  readonly change: Change | undefined;
  readonly shape: readonly number[];
}

/**
 * The model in a GGUF file. Opened for each question, so that nothing is held between them.
 * @throws when asked: what `openGguf` throws, and GGUF_ARCHITECTURE, GGUF_METADATA, GGUF_ROPE, GGUF_TOKENIZER, GGUF_TENSOR
 */
export function ggufModel(path: string): ModelFolder {
  return {
    path,
    text: (name) => withGguf(path, (gguf) => textOf(gguf, name)),
    shapes: () =>
      withGguf(path, (gguf) =>
        Promise.resolve(new Map([...knownTensors(gguf)].map(([name, { shape }]) => [name, shape]))),
      ),
    tensors: (names, matrices) =>
      withGguf(path, async (gguf) => {
        const known = knownTensors(gguf);
        const tensors: Record<string, StoredTensor | StoredHalf> = {};
        for (const name of names) {
          const found = known.get(name);
          if (found) tensors[name] = await readTensor(gguf, found, matrices);
        }
        return tensors;
      }),
  };
}

async function readTensor(
  gguf: Gguf,
  { stored, change, shape }: Known,
  matrices?: HalfType,
): Promise<StoredTensor | StoredHalf> {
  const data = undo(change, await gguf.read(stored), stored.shape);
  if (matrices && shape.length > 1) return { dtype: matrices, shape, data: toBits(matrices, data) };
  return { dtype: 'float32', shape, data };
}

/** A table with an element for each frequency; @throws GGUF_TENSOR for one that is no such table. */
async function readTable(gguf: Gguf, name: string): Promise<Float32Array | undefined> {
  const tensor = gguf.tensors.get(name);
  if (!tensor || (tensor.shape.length === 1 && (tensor.shape[0] as number) <= LONGEST_TABLE))
    return tensor && gguf.read(tensor);
  return strange(gguf, tensor, `at most ${LONGEST_TABLE} frequencies`);
}

const LONGEST_TABLE = 4096;

async function textOf(gguf: Gguf, name: ModelFile): Promise<string | undefined> {
  const json = async (): Promise<unknown> => {
    switch (name) {
      case 'config.json':
        return hubConfig(gguf.metadata, gguf.tensors, (table) => readTable(gguf, table));
      case 'tokenizer.json':
        return hubTokenizer(gguf.metadata);
      case 'tokenizer_config.json':
        return hubTokenizerConfig(gguf.metadata);
      case 'generation_config.json':
      case 'special_tokens_map.json':
      case 'chat_template.jinja':
      case 'additional_chat_templates/default.jinja':
        return undefined;
    }
    return name satisfies never;
  };
  const found = await json();
  return found === undefined ? undefined : JSON.stringify(found);
}

/** The file's tensors by Hugging Face name. @throws GGUF_TENSOR for one that its architecture has no place for */
function knownTensors({ metadata, tensors }: Gguf): ReadonlyMap<string, Known> {
  const architecture = architectureOf(metadata);
  const heads = headsOf(metadata);
  const known = new Map<string, Known>();
  for (const stored of tensors.values()) {
    const name = hubName(architecture, stored.name);
    if (name === null) continue;
    const change = changeOf(architecture, stored.name, heads);
    if (name === undefined || !fits(change, stored.shape))
      return strange({ metadata }, stored, `the tensors of a ${architecture} model`);
    known.set(name, { stored, change, shape: shapeBefore(change, stored.shape) });
  }
  return known;
}

function strange({ metadata }: Pick<Gguf, 'metadata'>, { name, shape }: GgufTensor, expected: string): never {
  return complain({
    code: 'GGUF_TENSOR',
    owner: metadata.owner,
    expected,
    got: `${name} [${shape.join(', ')}]`,
    hint: 'choose a model of a known architecture',
  });
}

async function withGguf<T>(path: string, use: (gguf: Gguf) => Promise<T>): Promise<T> {
  const gguf = await openGguf(path);
  try {
    return await use(gguf);
  } finally {
    await gguf.close();
  }
}
