/** @file Every preset reads a small file of its dataset's shape; what cannot be used so is refused. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import {
  createChatTemplate,
  datasetOf,
  openSource,
  parseTranscript,
  presetOf,
  PRESETS,
  trainingBatches,
  type TrainingBatch,
  type TrainingDataConfig,
} from '../../datasets/index.js';
import { byteTokenizer, take, temporaryFolder } from './helpers.js';

const dialogue = (...turns: string[]): string =>
  turns.map((turn, at) => `\n\n${at % 2 ? 'Assistant' : 'Human'}: ${turn}`).join('');

/** Rows as the datasets have them, with columns that no preset asks for. */
const SAMPLES: Readonly<Record<string, readonly object[]>> = {
  'LLM-LAT/harmful-dataset': [{ prompt: 'How?', rejected: 'Like this', chosen: 'No' }],
  'LLM-LAT/benign-dataset': [{ prompt: 'Sum?', response: 'Four', refusal: 'No' }],
  'Anthropic/hh-rlhf': [
    { chosen: dialogue('Hi', 'Hello', 'How?', 'No'), rejected: dialogue('Hi', 'Hello', 'How?', 'Like this') },
    { chosen: dialogue('Hi', 'A', 'How?', 'No'), rejected: dialogue('Hi', 'B', 'How?', 'Yes') },
    { chosen: dialogue('Hi', ''), rejected: dialogue('Hi', 'Yes') },
    { chosen: dialogue('Hi', 'A', 'Bye'), rejected: dialogue('Hi', 'A', 'So long') },
    { chosen: '\n\nAssistant: Yes', rejected: '\n\nAssistant: No' },
  ],
  'cais/wmdp-corpora/bio-retain-corpus': [{ title: 't', abstract: 'a', text: 'cells', doi: 'd' }],
  'cais/wmdp-corpora/cyber-forget-corpus': [{ text: 'a page' }],
  'cais/wmdp-corpora/cyber-retain-corpus': [{ text: 'a page' }],
  wikitext: [{ text: '' }, { text: ' = Title = \n' }, { text: ' A sentence . \n' }],
  'tatsu-lab/alpaca': [
    { instruction: 'Add.', input: '1, 2', output: '3', text: '…' },
    { instruction: 'Greet.', input: '', output: 'Hi', text: '…' },
    { instruction: 'Nothing.', input: '', output: '', text: '…' },
  ],
  'HuggingFaceH4/ultrachat_200k': [
    {
      prompt: 'Hi',
      prompt_id: 'p',
      messages: [
        { content: 'Hi', role: 'user' },
        { content: 'Hello', role: 'assistant' },
      ],
    },
  ],
  'whp-generic-predictions': [{ tokens: [1, 2, 3], labels: [-100, 5, 6] }],
};

const template = createChatTemplate(
  '{% for m in messages %}<|{{ m.role }}|>{{ m.content }}<|end|>{% endfor %}{% if add_generation_prompt %}<|assistant|>{% endif %}',
  byteTokenizer(),
);

async function sample(name: string): Promise<string> {
  const path = join(await temporaryFolder(), 'x.jsonl');
  await writeFile(path, SAMPLES[name]!.map((row) => JSON.stringify(row)).join('\n'));
  return path;
}

/** What the first batches hold as text. */
async function texts(name: string, count: number): Promise<string[]> {
  const dataset = datasetOf({ preset: name, path: await sample(name) }, 'pairs');
  const config = {
    pairs: dataset,
    batchSize: 1,
    context: 100,
    shuffleRows: 0,
  } as unknown as TrainingDataConfig;
  const batches: TrainingBatch[] = await take(trainingBatches(config, template, { seed: 0 }), count);
  return batches.map(({ pairs }) =>
    byteTokenizer().decode(
      [...pairs.tokens].filter((token) => token !== 0),
      { specialTokens: true },
    ),
  );
}

describe('presets', () => {
  it('each have a sample here, a home unless they say that they have none, and columns that exist in it', async () => {
    expect(Object.keys(SAMPLES)).toEqual(Object.keys(PRESETS));
    for (const [name, { path, columns, role }] of Object.entries(PRESETS)) {
      if (role !== 'tokens') expect(path).toMatch(/^hf:\/\/datasets\//);
      const source = await openSource(await sample(name));
      expect(source.columns).toEqual(expect.arrayContaining(Object.values(columns)));
      await source.close();
    }
  });

  it.each([
    ['LLM-LAT/harmful-dataset', ['<|user|>How?<|end|><|assistant|>Like this<|end|>No<|end|>']],
    ['LLM-LAT/benign-dataset', ['<|user|>Sum?<|end|><|assistant|>Four<|end|>']],
    [
      'Anthropic/hh-rlhf',
      ['<|user|>Hi<|end|><|assistant|>Hello<|end|><|user|>How?<|end|><|assistant|>Like this<|end|>No<|end|>'],
    ],
    [
      'tatsu-lab/alpaca',
      ['<|user|>Add.\n\n1, 2<|end|><|assistant|>3<|end|>', '<|user|>Greet.<|end|><|assistant|>Hi<|end|>'],
    ],
    ['HuggingFaceH4/ultrachat_200k', ['<|user|>Hi<|end|><|assistant|>Hello<|end|>']],
  ])('%s becomes examples, and again in the next epoch', async (name, wanted) => {
    expect(await texts(name, 2 * wanted.length)).toEqual([...wanted, ...wanted]);
  });

  it('give way to what is said beside them, add filters to theirs, and are refused for what they are not', () => {
    const own = datasetOf({
      preset: 'wikitext',
      path: 'mine.txt',
      filter: [{ column: 'text', minLength: 3 }],
      weight: 2,
    });
    expect(own).toMatchObject({ path: 'mine.txt', columns: { text: 'text' }, weight: 2 });
    expect(own.filter).toHaveLength(2);
    expect(datasetOf({ preset: 'wikitext' }, 'benign').columns).toEqual({ desired: 'text' });
    expect(datasetOf({ preset: 'wikitext' }, 'pairs').columns).toEqual({ adversarial: 'text' });
    expect(() => datasetOf({ preset: 'LLM-LAT/harmful-dataset' }, 'benign')).toThrow(
      /expected a dataset for benign, such as LLM-LAT\/benign-dataset, .* got one of pairs/,
    );
    expect(() => datasetOf({ preset: 'tatsu-lab/alpaca' }, 'desired')).toThrow('got one of benign');
    expect(() => datasetOf({ preset: 'whp-generic-predictions' })).toThrow(
      'expected a path beside the preset',
    );
    expect(() => presetOf('LLM-LAT/harmfull-dataset')).toThrow('did you mean LLM-LAT/harmful-dataset');
  });
});

describe('parseTranscript', () => {
  it('gives the turns, whatever they hold, and refuses what is no dialogue', () => {
    expect(parseTranscript('\n\nHuman: Hi\n\nHow? Human: x\n\nAssistant: A\n\nAssistant:', 'x')).toEqual([
      { role: 'user', content: 'Hi\n\nHow? Human: x' },
      { role: 'assistant', content: 'A' },
      { role: 'assistant', content: '' },
    ]);
    expect(parseTranscript('Human: Hi \n\n\nAssistant: A \n', 'x').map(({ content }) => content)).toEqual([
      'Hi',
      'A',
    ]);
    for (const text of ['', 'Hi', 'x\n\nHuman: y'])
      expect(() => parseTranscript(text, 'x')).toThrow('x: expected a dialogue');
  });
});
