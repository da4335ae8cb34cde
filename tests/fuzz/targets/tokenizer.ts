/** @file Tokenizers: byte-level BPE, WordPiece-like and unigram models, normalizers, patterns. */
import fc from 'fast-check';
import { loadTokenizer } from '../../../datasets/index.js';
import { byteMutation } from '../bytes.js';
import { jsonMutation } from '../json.js';
import { Broken, type Files, type Target } from '../target.js';

const special = (id: number, content: string): object => ({
  id,
  content,
  single_word: false,
  lstrip: false,
  rstrip: false,
  normalized: false,
  special: true,
});
/** The characters that stand for the 256 bytes in byte-level vocabularies (GPT-2's table). */
function byteCharacters(): string[] {
  let spare = 256;
  return Array.from({ length: 256 }, (_, byte) => {
    const printable = (byte > 32 && byte < 127) || (byte > 160 && byte !== 173);
    return String.fromCharCode(printable ? byte : spare++);
  });
}

/** A tokenizer.json of single bytes and a few merges, with one of everything. */
export const bpe = {
  version: '1.0',
  added_tokens: ['<pad>', '<s>', '</s>'].map((content, id) => special(id, content)),
  normalizer: {
    type: 'Sequence',
    normalizers: [{ type: 'NFC' }, { type: 'Replace', pattern: { Regex: ' {2,}' }, content: ' ' }],
  },
  pre_tokenizer: {
    type: 'Sequence',
    pretokenizers: [
      { type: 'Split', pattern: { Regex: '\\p{L}+|\\s+|[^\\s\\p{L}]' }, behavior: 'Isolated', invert: false },
      { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: false },
    ],
  },
  post_processor: {
    type: 'TemplateProcessing',
    single: [{ SpecialToken: { id: '<s>', type_id: 0 } }, { Sequence: { id: 'A', type_id: 0 } }],
    pair: [],
    special_tokens: { '<s>': { id: '<s>', ids: [1], tokens: ['<s>'] } },
  },
  decoder: { type: 'ByteLevel' },
  model: {
    type: 'BPE',
    vocab: Object.fromEntries(
      ['<pad>', '<s>', '</s>', ...byteCharacters(), 'he', 'll', 'hell'].map((token, id) => [token, id]),
    ),
    merges: ['h e', 'l l', 'he ll'],
    byte_fallback: false,
  },
};
const unigram = {
  ...bpe,
  normalizer: { type: 'Prepend', prepend: '▁' },
  pre_tokenizer: { type: 'Metaspace', replacement: '▁', prepend_scheme: 'first' },
  decoder: {
    type: 'Sequence',
    decoders: [
      { type: 'Replace', pattern: { String: '▁' }, content: ' ' },
      { type: 'Fuse' },
      { type: 'Strip', content: ' ', start: 1, stop: 0 },
    ],
  },
  model: {
    type: 'Unigram',
    unk_id: 0,
    vocab: [
      ['<unk>', 0],
      ['▁', -2],
      ['h', -3],
      ['e', -3],
      ['l', -3],
      ['o', -3],
      ['hell', -4],
    ],
  },
};
/** Its tokenizer_config.json. */
export const names = {
  bos_token: '<s>',
  eos_token: { content: '</s>' },
  pad_token: '<pad>',
  tokenizer_class: 'PreTrainedTokenizerFast',
};

export const tokenizer: Target = {
  name: 'tokenizer',
  weight: 4,
  async seeds() {
    const files = (definition: object): Files => ({
      'tokenizer.json': Buffer.from(JSON.stringify(definition)),
      'tokenizer_config.json': Buffer.from(JSON.stringify(names)),
    });
    return [files(bpe), files(unigram)];
  },
  mutations: () => fc.oneof({ weight: 6, arbitrary: jsonMutation }, { weight: 1, arbitrary: byteMutation }),
  async run(folder) {
    const made = await loadTokenizer(folder);
    for (const text of ['', 'hello', `hello  world ${'a'.repeat(40)}!`, '\u0000\ud800 猫 <s></s>']) {
      const ids = made.encode(text);
      if (ids.some((id) => !Number.isInteger(id) || id < 0 || id >= made.size))
        throw new Broken(`ids ${ids.join()}`);
      if (typeof made.decode(ids) !== 'string') throw new Broken('no text');
    }
  },
};
