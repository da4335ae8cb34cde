/** @file GGUF files as model folders: configuration, tensors, tokenizer and chat template from one file. */
import { join } from 'node:path';
import { loadChatTemplate, loadTokenizer } from '../../../datasets/index.js';
import { initialParameters } from '../../../engine/index.js';
import { loadModel, saveModel } from '../../../engine/models/index.js';
import { converted } from '../../helpers/gguf-convert.js';
import { bytesOf, ggufBytes, TYPE_NUMBERS, type TensorBytes } from '../../helpers/gguf.js';
import { openGguf } from '../../../formats/index.js';
import { byteMutation } from '../bytes.js';
import { Broken, type Files, type Target } from '../target.js';
import { SMALL } from './model.js';

const FILE = 'x.gguf';

const tokens = ['<unk>', '<s>', '</s>', 'a', 'b', 'ab', 'Ġ', 'c'];
const byteLevel = {
  'tokenizer.ggml.model': 'gpt2',
  'tokenizer.ggml.pre': 'llama-bpe',
  'tokenizer.ggml.tokens': tokens,
  'tokenizer.ggml.token_type': Int32Array.of(3, 3, 3, 1, 1, 1, 1, 1),
  'tokenizer.ggml.merges': ['a b'],
  'tokenizer.ggml.bos_token_id': 1,
  'tokenizer.ggml.eos_token_id': 2,
  'tokenizer.chat_template': '{% for m in messages %}{{ m.content }}{% endfor %}',
};
const pieces = {
  'tokenizer.ggml.model': 'llama',
  'tokenizer.ggml.tokens': tokens.map((token) => token.replace('Ġ', '▁')),
  'tokenizer.ggml.scores': Float32Array.of(0, 0, 0, -1, -2, -1, -3, -4),
  'tokenizer.ggml.token_type': Int32Array.of(2, 3, 3, 1, 1, 1, 1, 1),
};

/** A tensor of each type, one block long. */
function quantised(): Files {
  const all = Object.keys(TYPE_NUMBERS) as TensorBytes['type'][];
  const tensors = all.map((type) => {
    const shape = [1, type.endsWith('_K') ? 256 : 32];
    return [`${type}.weight`, { type, shape, data: new Uint8Array(bytesOf(type, shape)).fill(7) }] as const;
  });
  return { [FILE]: ggufBytes({ 'general.architecture': 'llama' }, Object.fromEntries(tensors)) };
}

export const gguf: Target = {
  name: 'gguf',
  weight: 5,
  async seeds(scratch) {
    await saveModel(scratch, { config: SMALL, parameters: initialParameters(SMALL, 1) });
    const [first, second] = [await converted(scratch, byteLevel), await converted(scratch, pieces)];
    return [{ [FILE]: first }, { [FILE]: second }, quantised()];
  },
  mutations: () => byteMutation,
  async run(folder) {
    const file = await openGguf(join(folder, FILE));
    try {
      for (const tensor of file.tensors.values()) {
        const values = await file.read(tensor);
        if (values.length !== tensor.shape.reduce((product, extent) => product * extent, 1))
          throw new Broken(`${values.length} values in [${tensor.shape.join()}]`);
      }
      if (file.tensors.has('F32.weight')) return; // No model, only tensors.
    } finally {
      await file.close();
    }
    await loadModel(folder);
    const tokenizer = await loadTokenizer(folder);
    tokenizer.decode(tokenizer.encode('ab c'));
    const chat = await loadChatTemplate(folder, tokenizer);
    chat.renderPrompt([{ role: 'user', content: 'ab' }], true);
  },
};
