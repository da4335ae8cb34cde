/** @file Text to token ids and back, from a model folder's tokenizer.json. Knows nothing about chats or files of rows. */
import * as hub from '@huggingface/tokenizers';
import { join } from 'node:path';
import { openModelFolder, type ModelFile, type ModelFolder } from '../../formats/index.js';
import { complain, parseJson } from '../../foundation/index.js';
import { withinTime } from '../deadline.js';
import {
  specialTexts,
  withAddedTokens,
  withSpecialTokensMap,
  type JsonObject,
  type TokenizerFiles,
} from './special-tokens.js';

/** A token that means something by itself. */
export interface SpecialToken {
  readonly id: number;
  readonly text: string;
}

export interface Tokenizer {
  /**
   * Token ids of a text.
   * @param options.specialTokens adds what the tokenizer adds around a text, such as BOS (default: yes); never a second BOS.
   */
  encode(text: string, options?: { readonly specialTokens?: boolean }): number[];
  /**
   * Text of token ids; `''` for none.
   * @param options.specialTokens keeps the text of special tokens (default: no).
   */
  decode(ids: readonly number[], options?: { readonly specialTokens?: boolean }): string;
  readonly bos: SpecialToken | undefined;
  readonly eos: SpecialToken | undefined;
  readonly pad: SpecialToken | undefined;
  /** True where the tokenizer puts BOS before a text by itself. */
  readonly addsBos: boolean;
  /** Largest token id + 1. */
  readonly size: number;
  /** Most UTF-16 units of text that one token stands for. */
  readonly longestToken: number;
  /** What it was made from, so that another thread can make the same. */
  readonly files: TokenizerFiles;
}

/**
 * The tokenizer of a model folder: tokenizer.json, with tokenizer_config.json and special_tokens_map.json where they are.
 * @param longestMs that a call may take where the files bring patterns of their own: one of them may never end.
 * @throws TOKENIZER_MISSING, TOKENIZER_INVALID; its calls TOKENIZER_TIME.
 */
export async function loadTokenizer(folder: string, longestMs = LONGEST_MS): Promise<Tokenizer> {
  const model = await openModelFolder(folder);
  const definition = await readJson(model, 'tokenizer.json');
  if (definition === undefined)
    return complain({
      code: 'TOKENIZER_MISSING',
      owner: `model ${folder}`,
      expected: 'a file tokenizer.json',
      got: 'none',
      hint: 'a tokenizer.model alone is not enough: convert it with transformers (save_pretrained writes tokenizer.json)',
    });
  const config = withSpecialTokensMap(
    (await readJson(model, 'tokenizer_config.json')) ?? {},
    await readJson(model, 'special_tokens_map.json'),
  );
  return withTimeLimit(createTokenizer(definition, config, join(folder, 'tokenizer.json')), longestMs);
}

const LONGEST_MS = 10_000;

/** The same tokenizer, whose calls end. @throws TOKENIZER_TIME, from its calls */
function withTimeLimit(tokenizer: Tokenizer, longestMs: number): Tokenizer {
  const { normalizer, pre_tokenizer: splitter, decoder } = tokenizer.files.definition;
  return {
    ...tokenizer,
    ...(hasPattern([normalizer, splitter]) && {
      encode: (text, options) => withinTime(longestMs, () => tokenizer.encode(text, options)),
    }),
    ...(hasPattern(decoder) && {
      decode: (ids, options) => withinTime(longestMs, () => tokenizer.decode(ids, options)),
    }),
  };
}

function hasPattern(definition: unknown): boolean {
  return JSON.stringify(definition ?? null).includes('"Regex":');
}

/**
 * A tokenizer from the parsed contents of tokenizer.json and tokenizer_config.json. Whether BOS and EOS come around a
 * text is what tokenizer.json's post-processor says; `add_bos_token` changes nothing beside one, as in transformers.
 */
export function createTokenizer(definition: JsonObject, config: JsonObject, owner = 'tokenizer'): Tokenizer {
  const library = orInvalid(owner, () => {
    const complete = withAddedTokens({ definition, config });
    checkInsertions([definition['normalizer'], definition['pre_tokenizer'], definition['decoder']]);
    tokenIds(idsIn(complete));
    return new Library(complete, config);
  });
  const texts = specialTexts(config);
  const special = (name: string): SpecialToken | undefined => {
    const text = texts[name];
    const id = text === undefined ? undefined : library.token_to_id(text);
    return text === undefined || id === undefined ? undefined : { id, text };
  };
  const bos = special('bos_token');
  const vocabulary = orInvalid(owner, () => library.get_vocab(true));
  const ids = orInvalid(owner, () =>
    tokenIds([...vocabulary.values(), ...library.get_added_tokens_decoder().keys()]),
  );
  const size = ids.reduce((largest, id) => Math.max(largest, id), -1) + 1;
  // The library cleans up by default (`x !` becomes `x!`), which loses text; here only where the model asks for it.
  const cleanUp = config['clean_up_tokenization_spaces'] === true;
  const addsBos = bos !== undefined && orInvalid(owner, () => library.encode('').ids[0]) === bos.id;
  return {
    encode(text, { specialTokens = true } = {}) {
      const tokens = orInvalid(owner, () =>
        tokenIds(library.encode(text, { add_special_tokens: specialTokens }).ids, size),
      );
      const doubled = specialTokens && addsBos && tokens[0] === bos.id && tokens[1] === bos.id;
      return doubled ? tokens.slice(1) : tokens;
    },
    decode: (tokens, { specialTokens = false } = {}) =>
      tokens.length === 0
        ? ''
        : orInvalid(owner, () =>
            library.decode([...tokens], {
              skip_special_tokens: !specialTokens,
              clean_up_tokenization_spaces: cleanUp,
            }),
          ),
    bos,
    eos: special('eos_token'),
    pad: special('pad_token'),
    addsBos,
    size,
    longestToken: [...vocabulary.keys()].reduce((longest, text) => Math.max(longest, text?.length ?? 0), 1),
    files: { definition, config },
  };
}

/**
 * Checks that a tokenizer and a model belong together.
 * @param vocabulary rows of the model's embedding.
 * @throws TOKENIZER_VOCABULARY where the tokenizer has ids that the model has not, or lacks more than a tenth of the
 * model's (embeddings are padded for speed, never by that much).
 */
export function checkVocabulary(tokenizer: Tokenizer, vocabulary: number, owner = 'tokenizer'): void {
  const tooLarge = tokenizer.size > vocabulary;
  if (!tooLarge && tokenizer.size >= 0.9 * (vocabulary - 64)) return;
  complain({
    code: 'TOKENIZER_VOCABULARY',
    owner,
    expected: `token ids below ${vocabulary}, the model's vocabulary`,
    got: tooLarge ? `ids up to ${tokenizer.size - 1}` : `only ${tokenizer.size} of them`,
    hint: 'use the tokenizer that was saved with this model',
  });
}

/** A JSON object from a model's file; undefined where it has none. @throws TOKENIZER_INVALID for anything else. */
export async function readJson(model: ModelFolder, name: ModelFile): Promise<JsonObject | undefined> {
  const text = await model.text(name);
  if (text === undefined) return undefined;
  const file = join(model.path, name);
  let json: unknown;
  try {
    json = parseJson(text);
  } catch (error) {
    return invalid(file, error);
  }
  if (typeof json === 'object' && json !== null && !Array.isArray(json)) return json as JsonObject;
  return invalid(file, new Error(`${text.trim().slice(0, 40)}, which is no JSON object`));
}

/** The part of the library that is used; its own types do not resolve under Node's module resolution. */
interface HubTokenizer {
  encode(text: string, options?: { readonly add_special_tokens: boolean }): { readonly ids: number[] };
  decode(
    ids: number[],
    options: { readonly skip_special_tokens: boolean; readonly clean_up_tokenization_spaces: boolean },
  ): string;
  token_to_id(token: string): number | undefined;
  get_vocab(withAddedTokens: boolean): ReadonlyMap<string | undefined, number>;
  get_added_tokens_decoder(): ReadonlyMap<number, unknown>;
}

const { Tokenizer: Library } = hub as unknown as {
  readonly Tokenizer: new (definition: JsonObject, config: JsonObject) => HubTokenizer;
};

/** The library checks little: much that is wrong in a definition shows when a text is encoded. */
function orInvalid<T>(owner: string, act: () => T): T {
  try {
    return act();
  } catch (error) {
    return invalid(owner, error);
  }
}

/** What steps put into a text in place of what they find: long ones would make any text grow beyond measure. */
const INSERTED = new Set(['content', 'prepend', 'replacement', 'str_rep']);
const LONGEST_INSERTION = 1024;

function checkInsertions(steps: unknown): void {
  if (typeof steps !== 'object' || steps === null) return;
  for (const [key, value] of Object.entries(steps)) {
    if (!INSERTED.has(key)) checkInsertions(value);
    else if (typeof value !== 'string' || value.length > LONGEST_INSERTION)
      throw new Error(`a ${key} that is no short text`);
  }
}

function tokenIds(ids: readonly unknown[], below = MOST_IDS): number[] {
  const wrong = ids.findIndex((id) => !Number.isInteger(id) || (id as number) < 0 || (id as number) >= below);
  if (wrong < 0) return ids as number[];
  throw new Error(`a token whose id is ${String(ids[wrong]).slice(0, 40)}`);
}

/** Many times the largest vocabulary known. The library keeps tokens in a list by id, and walks through it. */
const MOST_IDS = 2 ** 22;

/** Every id that a definition gives. */
function idsIn(definition: JsonObject): unknown[] {
  const { model, added_tokens: added } = definition as {
    model?: { vocab?: unknown } | null;
    added_tokens?: unknown;
  };
  const vocab = model?.vocab;
  const named =
    typeof vocab === 'object' && vocab !== null && !Array.isArray(vocab)
      ? (Object.values(vocab) as unknown[])
      : [];
  const tokens = Array.isArray(added) ? (added as ({ id?: unknown } | null)[]) : [];
  return [...named, ...tokens.map((token) => token?.id)];
}

function invalid(owner: string, error: unknown): never {
  return complain(
    {
      code: 'TOKENIZER_INVALID',
      owner,
      expected: 'a Hugging Face tokenizer in JSON',
      got: (error instanceof Error ? error.message : String(error)).slice(0, 200),
      hint: 'download the file again, or write it with transformers (save_pretrained)',
    },
    { cause: error },
  );
}
