/** @file What a tokenizer's configuration says about special tokens, completed as transformers completes it. JSON in, JSON out. */

/** A parsed JSON object. */
export type JsonObject = Readonly<Record<string, unknown>>;

/** What a tokenizer is made of: the parsed tokenizer.json and tokenizer_config.json. */
export interface TokenizerFiles {
  readonly definition: JsonObject;
  readonly config: JsonObject;
}

/** An entry of `added_tokens`, as the tokenizer library reads it. */
interface AddedToken extends JsonObject {
  readonly id: number;
  readonly content: string;
}

/**
 * Texts of the named special tokens (`bos_token`, `image_token`, …), by name: what templates are given.
 * @param config tokenizer_config.json: a token is a string, or an object with its `content`.
 */
export function specialTexts(config: JsonObject): Readonly<Record<string, string>> {
  const extra = isObject(config['extra_special_tokens']) ? config['extra_special_tokens'] : {};
  const named = { ...config, ...extra };
  return Object.fromEntries(
    Object.entries(named).flatMap(([name, token]) => {
      const text = name.endsWith('_token') || name in extra ? textOf(token) : undefined;
      return text === undefined ? [] : [[name, text]];
    }),
  );
}

/**
 * The configuration with what the older special_tokens_map.json says. It counts where the configuration lists no
 * `added_tokens_decoder`, and then before what the configuration says itself.
 */
export function withSpecialTokensMap(config: JsonObject, map: JsonObject | undefined): JsonObject {
  return 'added_tokens_decoder' in config ? config : { ...config, ...map };
}

/**
 * The definition with all tokens that are told apart from text: its own `added_tokens`, those of the configuration's
 * `added_tokens_decoder` (whose flags count), and named special tokens of the vocabulary. A special token that has no
 * id is left out: it would have no embedding.
 */
export function withAddedTokens({ definition, config }: TokenizerFiles): JsonObject {
  const added = new Map<string, AddedToken>();
  for (const token of listOf(definition['added_tokens'])) if (isAdded(token)) added.set(token.content, token);
  const idOf = vocabulary(definition);
  for (const [id, token] of Object.entries(
    isObject(config['added_tokens_decoder']) ? config['added_tokens_decoder'] : {},
  )) {
    const content = textOf(token);
    if (content === undefined) continue;
    const known = added.get(content)?.id ?? idOf(content) ?? Number(id);
    added.set(content, { ...(token as JsonObject), id: known, content });
  }
  for (const content of Object.values(specialTexts(config))) {
    const token = added.get(content);
    const id = token?.id ?? idOf(content);
    if (id === undefined) continue;
    added.set(content, { normalized: false, ...token, id, content, special: true });
  }
  return { ...definition, added_tokens: [...added.values()].sort((a, b) => a.id - b.id) };
}

/** Ids by text, in a vocabulary that is a record (BPE, WordPiece) or a list of texts and scores (Unigram). */
function vocabulary(definition: JsonObject): (text: string) => number | undefined {
  const model = isObject(definition['model']) ? definition['model'] : {};
  const vocab = model['vocab'];
  if (Array.isArray(vocab)) {
    return (text) => {
      const at = vocab.findIndex((entry: unknown) => Array.isArray(entry) && entry[0] === text);
      return at < 0 ? undefined : at;
    };
  }
  const ids = isObject(vocab) ? vocab : {};
  return (text) => {
    const id = Object.hasOwn(ids, text) ? ids[text] : undefined;
    return typeof id === 'number' ? id : undefined;
  };
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isAdded(token: unknown): token is AddedToken {
  return isObject(token) && typeof token['content'] === 'string' && typeof token['id'] === 'number';
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

function textOf(token: unknown): string | undefined {
  if (typeof token === 'string') return token;
  const content = isObject(token) ? token['content'] : undefined;
  return typeof content === 'string' ? content : undefined;
}
