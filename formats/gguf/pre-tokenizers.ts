/** @file How byte-level vocabularies split text before they merge, by llama.cpp's name for it. Plain JSON of tokenizer.json. */

type Json = Readonly<Record<string, unknown>>;

/** A way of splitting, and what comes with it. */
export interface Splitting {
  readonly normalizer: Json | null;
  readonly preTokenizer: Json;
  /** A piece that is a token is one, whatever the merges say. */
  readonly ignoreMerges: boolean;
  /** Whether BOS is put before a text where the file does not say. */
  readonly addsBos: boolean;
}

const CONTRACTIONS = "(?i:'s|'t|'re|'ve|'m|'ll|'d)";
const REST = ' ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+';
const words = (digits: string): string => `${CONTRACTIONS}|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|${digits}|${REST}`;

/** Words begin with capitals or go on in small letters, never both ways. @param ending what a word may end with. */
const cased = (digits: string, ending: string): string => {
  const [upper, lower] = ['\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}', '\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}'];
  const start = '[^\\r\\n\\p{L}\\p{N}]?';
  return (
    `${start}[${upper}]*[${lower}]+${ending}|${start}[${upper}]+[${lower}]*${ending}|${digits}|` +
    ' ?[^\\s\\p{L}\\p{N}]+[\\r\\n/]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+'
  );
};

const split = (pattern: string): Json => ({
  type: 'Split',
  pattern: { Regex: pattern },
  behavior: 'Isolated',
  invert: false,
});
/** @param regex whether GPT-2's own pattern splits further. */
const byteLevel = (regex: boolean): Json => ({
  type: 'ByteLevel',
  add_prefix_space: false,
  trim_offsets: true,
  use_regex: regex,
});
const sequence = (...pretokenizers: readonly Json[]): Json => ({ type: 'Sequence', pretokenizers });
const plain = (preTokenizer: Json): Splitting => ({
  normalizer: null,
  preTokenizer,
  ignoreMerges: false,
  addsBos: false,
});

const GPT2 = plain(byteLevel(true));
const DIGITS = plain(sequence(split('\\p{N}'), byteLevel(true)));
const LLAMA3: Splitting = {
  ...plain(sequence(split(words('\\p{N}{1,3}')), byteLevel(false))),
  ignoreMerges: true,
  addsBos: true,
};
const QWEN2: Splitting = {
  ...plain(sequence(split(words('\\p{N}')), byteLevel(false))),
  normalizer: { type: 'NFC' },
};
const TEKKEN: Splitting = {
  ...plain(sequence(split(cased('\\p{N}', '')), byteLevel(false))),
  ignoreMerges: true,
  addsBos: true,
};

const SPLITTINGS: ReadonlyMap<string, Splitting> = new Map([
  ...named(GPT2, 'gpt-2', 'phi-2', 'mpt', 'jais', 'trillion', 'granite-docling'),
  // The vocabulary of GPT-NeoX, which OLMo shares.
  ...named({ ...GPT2, normalizer: { type: 'NFC' } }, 'olmo'),
  ...named(DIGITS, 'smollm', 'starcoder', 'refact', 'command-r', 'codeshell', 'exaone', 'minerva-7b'),
  ...named(LLAMA3, 'llama-bpe', 'llama3', 'llama-v3', 'falcon3', 'pixtral', 'midm-2.0', 'lfm2'),
  ...named({ ...LLAMA3, ignoreMerges: false, addsBos: false }, 'dbrx', 'smaug-bpe'),
  ...named(QWEN2, 'qwen2', 'deepseek-r1-qwen', 'megrez'),
  ...named({ ...QWEN2, normalizer: null }, 'stablelm2', 'hunyuan'),
  ...named(TEKKEN, 'tekken'),
  ...named(
    plain(sequence(split(cased('\\p{N}{1,3}', `${CONTRACTIONS}?`)), byteLevel(false))),
    'gpt-4o',
    'llama4',
  ),
  ...named(
    plain(
      sequence(
        split('[\\r\\n]'),
        split('\\s?\\p{L}+'),
        split('\\s?\\p{P}+'),
        split('[一-龥ࠀ-一가-퟿]+'),
        split('\\p{N}'),
        byteLevel(false),
      ),
    ),
    'deepseek-coder',
  ),
  ...named(
    plain(
      sequence(
        split('[\\p{P}\\$\\+<=>\\^~\\|]+'),
        split("'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)"),
        split('\\p{N}+'),
        split('[0-9][0-9][0-9]'),
        byteLevel(false),
      ),
    ),
    'default',
  ),
]);

/** What files from before the name was written can only mean. */
const UNNAMED: ReadonlyMap<string, string> = new Map([
  ['gpt2', 'gpt-2'],
  ['gptneox', 'olmo'],
  ['qwen2', 'qwen2'],
  ['qwen3', 'qwen2'],
]);

/** The splitting that a file names, or that its architecture implies where it names none. */
export function splittingOf(
  name: string | undefined,
  architecture: string | undefined,
): Splitting | undefined {
  return SPLITTINGS.get(name ?? UNNAMED.get(architecture ?? '') ?? '');
}

/** Names that are known. */
export function splittingNames(): string[] {
  return [...SPLITTINGS.keys()];
}

function named(splitting: Splitting, ...names: readonly string[]): [string, Splitting][] {
  return names.map((name) => [name, splitting]);
}
