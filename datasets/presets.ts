/** @file Datasets that are used by name: where they are and which of their columns are what. Reads nothing. */
import { complain, nearMatches } from '../foundation/index.js';
import type { DatasetConfig } from './feed.js';
import type { RowFilter } from './filter.js';
import type { Place } from './sources/open.js';
import type { Shape } from './shapes.js';

/** What a dataset can be used as: pairs, benign examples, running text, or rows that are tokenized already. */
export type PresetRole = 'pairs' | 'benign' | 'text' | 'tokens';

/** A dataset by name. */
export interface Preset {
  readonly role: PresetRole;
  readonly path: Place;
  readonly columns: Readonly<Record<string, string>>;
  readonly shape?: Shape;
  readonly filter?: readonly RowFilter[];
}

/** Datasets whose own files are compressed or read by a script are read as the Parquet that the hub makes of them. */
const converted = (name: string, files: string): string =>
  `hf://datasets/${name}@refs%2Fconvert%2Fparquet/${files}`;
const corpus = (name: string): Preset => ({
  role: 'text',
  path: `hf://datasets/cais/wmdp-corpora/**${name}**`,
  columns: { text: 'text' },
});

/**
 * The datasets of the paper (arXiv 2407.15549), by their names on the Hugging Face hub; column names are those of the
 * dataset cards.
 * - `LLM-LAT/harmful-dataset`: `prompt, rejected, chosen`; `rejected` complies, `chosen` refuses.
 * - `LLM-LAT/benign-dataset`: `prompt, response, refusal`; `refusal` is not used.
 * - `Anthropic/hh-rlhf`: `chosen, rejected`, each a whole dialogue.
 * - `cais/wmdp-corpora`: `text` in each of its corpora, here one by one; the corpus on biology that is to be forgotten is
 *   gated and elsewhere.
 * - `wikitext`: `text`, a line of an article each; blank lines and headings (` = Title = `) are left out.
 * - `tatsu-lab/alpaca`: `instruction, input, output`; its `text`, a template filled in, is not used.
 * - `HuggingFaceH4/ultrachat_200k`: `messages` with `role` and `content`; the split for supervised fine-tuning.
 * - `whp-generic-predictions`: tokens of the books with a generic label at each position, as Eldan and Russinovich
 *   (arXiv 2310.02238) make them; nobody publishes them under one name, so the path must be given.
 */
export const PRESETS: Readonly<Record<string, Preset>> = {
  'LLM-LAT/harmful-dataset': {
    role: 'pairs',
    path: 'hf://datasets/LLM-LAT/harmful-dataset',
    columns: { prompt: 'prompt', adversarial: 'rejected', desired: 'chosen' },
  },
  'LLM-LAT/benign-dataset': {
    role: 'benign',
    path: 'hf://datasets/LLM-LAT/benign-dataset',
    columns: { prompt: 'prompt', completion: 'response' },
  },
  'Anthropic/hh-rlhf': {
    role: 'pairs',
    path: converted('Anthropic/hh-rlhf', 'default/train/*.parquet'),
    columns: { adversarial: 'rejected', desired: 'chosen' },
    shape: 'transcripts',
  },
  'cais/wmdp-corpora/bio-retain-corpus': corpus('bio-retain-corpus'),
  'cais/wmdp-corpora/cyber-forget-corpus': corpus('cyber-forget-corpus'),
  'cais/wmdp-corpora/cyber-retain-corpus': corpus('cyber-retain-corpus'),
  wikitext: {
    role: 'text',
    path: 'hf://datasets/Salesforce/wikitext/wikitext-103-raw-v1/train-*.parquet',
    columns: { text: 'text' },
    filter: [{ column: 'text', matches: '^(?!\\s*$|\\s=.*=\\s*$)' }],
  },
  'tatsu-lab/alpaca': {
    role: 'benign',
    path: 'hf://datasets/tatsu-lab/alpaca',
    columns: { instruction: 'instruction', input: 'input', completion: 'output' },
    shape: 'instruction',
    filter: [{ column: 'output', minLength: 1 }],
  },
  'HuggingFaceH4/ultrachat_200k': {
    role: 'benign',
    path: 'hf://datasets/HuggingFaceH4/ultrachat_200k/data/train_sft-*.parquet',
    columns: { messages: 'messages' },
  },
  'whp-generic-predictions': {
    role: 'tokens',
    path: [],
    columns: { tokens: 'tokens', labels: 'labels' },
  },
};

/** A preset by name. @throws DATASET_PRESET, naming those that are near. */
export function presetOf(name: string): Preset {
  const known = Object.keys(PRESETS);
  if (Object.hasOwn(PRESETS, name)) return PRESETS[name] as Preset;
  const near = nearMatches(name, known);
  return complain({
    code: 'DATASET_PRESET',
    owner: 'data presets',
    expected: `one of ${known.join(', ')}`,
    got: name,
    hint: near.length > 0 ? `did you mean ${near.join(' or ')}?` : 'name a preset, or give path and columns',
  });
}

/** A dataset as recipes say it: complete, or what is different from a preset. */
export type DatasetChoice = Partial<DatasetConfig<Readonly<Record<string, string>>>> & {
  readonly preset?: string;
};

/**
 * The dataset that a choice means; what it says itself counts, its filters beside the preset's.
 * @param role what it is to be used as. Pairs may be anything: benign rows (plain training), labelled tokens, or running
 * text, whose column `text` is then the adversarial completion; elsewhere it is the desired one.
 * @throws DATASET_PRESET, DATASET_PRESET_ROLE, DATASET_PRESET_PATH
 */
export function datasetOf(
  { preset: name, ...own }: DatasetChoice,
  role?: DatasetRole,
): DatasetConfig<Readonly<Record<string, string>>> {
  if (name === undefined) return rolled({ path: [], columns: {}, ...own }, role);
  const { role: given, ...preset } = presetOf(name);
  if (role && role !== 'pairs' && !USES[role].includes(given)) misused(name, given, role);
  const filter = [...(preset.filter ?? []), ...(own.filter ?? [])];
  const whole = { ...preset, ...own, ...(filter.length > 0 && { filter }) };
  if (whole.path.length > 0) return rolled(whole, role);
  return complain({
    code: 'DATASET_PRESET_PATH',
    owner: `data preset ${name}`,
    expected: 'a path beside the preset',
    got: 'none',
    hint: 'this dataset has no home on the hub: give the path of your files',
  });
}

/** What a dataset of a recipe is used as. */
export type DatasetRole = 'pairs' | 'desired' | 'benign';

/** Presets that a use takes; pairs take all. */
const USES: Readonly<Record<Exclude<DatasetRole, 'pairs'>, readonly PresetRole[]>> = {
  desired: ['text'],
  benign: ['benign', 'text'],
};

type Chosen = DatasetConfig<Readonly<Record<string, string>>>;

function rolled(dataset: Chosen, role: DatasetRole | undefined): Chosen {
  const { text, ...columns } = dataset.columns;
  if (text === undefined || !role) return dataset;
  return { ...dataset, columns: { ...columns, [role === 'pairs' ? 'adversarial' : 'desired']: text } };
}

function misused(name: string, given: PresetRole, role: Exclude<DatasetRole, 'pairs'>): never {
  const others = Object.entries(PRESETS).filter(([, { role: each }]) => USES[role].includes(each));
  return complain({
    code: 'DATASET_PRESET_ROLE',
    owner: `data preset ${name}`,
    expected: `a dataset for ${role}, such as ${others.map(([each]) => each).join(', ')}`,
    got: `one of ${given}`,
    hint: 'choose another, or give path and columns',
  });
}
