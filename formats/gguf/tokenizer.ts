/** @file The tokenizer of a GGUF file as Hugging Face's tokenizer.json and tokenizer_config.json. Plain JSON. */
import type { Metadata } from './metadata.js';
import { splittingNames, splittingOf, type Splitting } from './pre-tokenizers.js';
import { idsOf, impliedMerges, KIND, readVocabulary, refuse, type Vocabulary } from './vocabulary.js';

type Json = Record<string, unknown>;

/** What the parts of a tokenizer.json are made from. */
interface Parts {
  readonly metadata: Metadata;
  readonly vocabulary: Vocabulary;
}

/**
 * A tokenizer.json that encodes as the file's tokenizer does; undefined where the file has none.
 * @throws GGUF_TOKENIZER for a kind of tokenizer or a way of splitting that is not known; GGUF_METADATA, GGUF_TEXT
 */
export function hubTokenizer(metadata: Metadata): Json | undefined {
  const kind = metadata.text('tokenizer.ggml.model');
  if (kind === undefined || kind === 'no_vocab') return undefined;
  const parts = { metadata, vocabulary: readVocabulary(metadata) };
  switch (kind) {
    case 'gpt2':
      return byteLevel(parts);
    case 'llama':
      return sentencePiece(parts);
    default:
      return refuse(metadata, 'tokenizer.ggml.model: gpt2 or llama', JSON.stringify(kind));
  }
}

/** The tokenizer_config.json beside it, with the chat template. */
export function hubTokenizerConfig(metadata: Metadata): Json {
  const tokens = metadata.texts('tokenizer.ggml.tokens') ?? [];
  const token = (name: string): string | null => {
    const id = metadata.number(`tokenizer.ggml.${name}_token_id`);
    return (id === undefined ? undefined : tokens[id]) ?? null;
  };
  const template = metadata.text('tokenizer.chat_template');
  return {
    bos_token: token('bos'),
    eos_token: token('eos'),
    unk_token: token('unknown'),
    pad_token: token('padding'),
    clean_up_tokenization_spaces: false,
    ...(template !== undefined && { chat_template: template }),
  };
}

function byteLevel({ metadata, vocabulary }: Parts): Json {
  const splitting = knownSplitting(metadata);
  const { tokens, kinds, merges } = vocabulary;
  if (!merges) return refuse(metadata, 'tokenizer.ggml.merges', 'none');
  return {
    ...shared({ metadata, vocabulary }, splitting.addsBos),
    normalizer: splitting.normalizer,
    pre_tokenizer: splitting.preTokenizer,
    decoder: { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: true },
    model: {
      type: 'BPE',
      ...MODEL,
      unk_token: null,
      ignore_merges: splitting.ignoreMerges,
      // Fillers up to the size of the embedding are no tokens.
      vocab: Object.fromEntries(idsOf(tokens, (id) => kinds[id] !== KIND.unused)),
      merges: merges.map((merge) => pairOf(merge, metadata)),
    },
  };
}

function knownSplitting(metadata: Metadata): Splitting {
  const name = metadata.text('tokenizer.ggml.pre');
  const known = splittingOf(name, metadata.text('general.architecture'));
  return (
    known ??
    refuse(
      metadata,
      `tokenizer.ggml.pre: one of ${splittingNames().join(', ')}`,
      name === undefined ? 'nothing' : JSON.stringify(name),
    )
  );
}

function pairOf(merge: string, metadata: Metadata): readonly [string, string] {
  const at = merge.indexOf(' ', 1);
  if (at < 0) return refuse(metadata, 'merges of two tokens', JSON.stringify(merge.slice(0, 40)));
  return [merge.slice(0, at), merge.slice(at + 1)];
}

function sentencePiece({ metadata, vocabulary }: Parts): Json {
  const prefixed = metadata.flag('tokenizer.ggml.add_space_prefix') ?? true;
  const { scores, merges } = vocabulary;
  // A token of blanks is written with real ones, unlike those within a token.
  const tokens = vocabulary.tokens.map((token) => (/^ +$/.test(token) ? token.replaceAll(' ', '▁') : token));
  const ids = idsOf(tokens, () => true);
  if (!scores && !merges) return refuse(metadata, 'tokenizer.ggml.scores', 'none');
  const gemma = metadata.text('general.architecture') === 'gemma2';
  // Gemma's scores are not in the order of its merges, but its ids are.
  const scoreOf = (id: number): number => (gemma ? -id : (scores?.[id] ?? 0));
  const unknown = metadata.number('tokenizer.ggml.unknown_token_id');
  const replace = { type: 'Replace', pattern: { String: ' ' }, content: '▁' };
  return {
    ...shared({ metadata, vocabulary: { ...vocabulary, tokens } }, true),
    normalizer: prefixed
      ? { type: 'Sequence', normalizers: [{ type: 'Prepend', prepend: '▁' }, replace] }
      : replace,
    pre_tokenizer: null,
    decoder: {
      type: 'Sequence',
      decoders: [
        { type: 'Replace', pattern: { String: '▁' }, content: ' ' },
        { type: 'ByteFallback' },
        { type: 'Fuse' },
        ...(prefixed ? [{ type: 'Strip', content: ' ', start: 1, stop: 0 }] : []),
      ],
    },
    model: {
      type: 'BPE',
      ...MODEL,
      unk_token: (unknown === undefined ? undefined : tokens[unknown]) ?? null,
      fuse_unk: true,
      byte_fallback: true,
      vocab: Object.fromEntries(ids),
      merges:
        merges?.map((merge) => pairOf(merge, metadata)) ??
        impliedMerges(ids, scoreOf) ??
        refuse(metadata, 'pieces of words', 'too many or too long ones'),
    },
  };
}

const MODEL = {
  dropout: null,
  continuing_subword_prefix: null,
  end_of_word_suffix: null,
  fuse_unk: false,
  byte_fallback: false,
  ignore_merges: false,
};

/** Special tokens, and those that are put around a text. */
function shared(parts: Parts, addsBos: boolean): Json {
  return {
    version: '1.0',
    truncation: null,
    padding: null,
    added_tokens: addedTokens(parts),
    post_processor: postProcessor(parts, addsBos),
  };
}

function addedTokens({ metadata, vocabulary }: Parts): readonly Json[] {
  // Phi-3's special tokens swallow the blanks behind them, which no file says.
  const swallows = metadata.text('general.architecture') === 'phi3';
  const kept = new Set(['<unk>', '<s>', '<|endoftext|>']);
  const { tokens, kinds } = vocabulary;
  return tokens.flatMap((content, id) => {
    const special = kinds[id] === KIND.control || kinds[id] === KIND.unknown;
    const added = special || (kinds[id] === KIND.userDefined && !/^▁+$/.test(content));
    if (!added || content === '') return [];
    const rstrip = swallows && !kept.has(content);
    return [{ id, content, single_word: false, lstrip: false, rstrip, normalized: false, special }];
  });
}

function postProcessor({ metadata, vocabulary }: Parts, addsBos: boolean): Json | null {
  const token = (name: 'bos' | 'eos', adds: boolean): readonly { id: string; number: number }[] => {
    if (!(metadata.flag(`tokenizer.ggml.add_${name}_token`) ?? adds)) return [];
    const number = metadata.number(`tokenizer.ggml.${name}_token_id`);
    const id = number === undefined ? undefined : vocabulary.tokens[number];
    return number === undefined || id === undefined ? [] : [{ id, number }];
  };
  const [before, after] = [token('bos', addsBos), token('eos', false)];
  if (before.length + after.length === 0) return null;
  const around = (sequence: 'A' | 'B', type: number): readonly Json[] => [
    ...before.map(({ id }) => ({ SpecialToken: { id, type_id: type } })),
    { Sequence: { id: sequence, type_id: type } },
    ...after.map(({ id }) => ({ SpecialToken: { id, type_id: type } })),
  ];
  return {
    type: 'TemplateProcessing',
    single: around('A', 0),
    pair: [...around('A', 0), ...around('B', 1)],
    special_tokens: Object.fromEntries(
      [...before, ...after].map(({ id, number }) => [id, { id, ids: [number], tokens: [id] }]),
    ),
  };
}
