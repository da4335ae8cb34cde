/** @file `latstream data inspect`: what is in a dataset, and what training would make of it. */
import { InvalidArgumentError, Option, type Command } from 'commander';
import {
  createEncoder,
  datasetOf,
  Examiner,
  FORMATS,
  inspect,
  loadChatTemplate,
  loadTokenizer,
  openSource,
  type DatasetChoice,
  type Format,
  type Inspection,
  type Source,
} from '../datasets/index.js';
import { loadModelConfig } from '../engine/models/index.js';
import { inspectionText } from './data-report.js';
import { localFolder } from './fetch.js';
import { whole } from './options.js';
import { progressBar } from './progress.js';

interface InspectOptions {
  readonly columns?: Readonly<Record<string, string>>;
  readonly preset?: string;
  readonly model?: string;
  readonly format?: Format;
  readonly limit?: number;
  readonly seed: number;
  readonly json?: boolean;
}

/** Rows that are tokenized where no limit is given: tokenizing takes far longer than reading. */
const TOKENIZED = 2000;

export function addData(program: Command): void {
  program
    .command('data')
    .description('look at datasets')
    .command('inspect')
    .description('columns, counts and lengths of a dataset, and what training would make of its rows')
    .argument('[path]', "file, folder, pattern, hf://datasets/NAME or https://…; default: the preset's home")
    .option('--columns <role=column...>', 'roles and their columns: prompt=question completion=answer', roles)
    .option('--preset <name>', 'columns and filters of a known dataset, such as LLM-LAT/harmful-dataset')
    .option('--model <dir>', 'count tokens, and show a sample, with the tokenizer and template of this model')
    .addOption(new Option('--format <name>', 'instead of what the file says').choices(FORMATS))
    .option(
      '--limit <n>',
      `look at so many rows, of groups chosen at random (default: all; with --model ${TOKENIZED})`,
      whole(1),
    )
    .option('--seed <n>', 'of that choice', whole(0), 0)
    .option('--json', 'print what was found as JSON')
    .action(async (path: string | undefined, options: InspectOptions) => {
      const found = await inspected(path, options);
      process.stdout.write(
        options.json ? `${JSON.stringify(found)}\n` : inspectionText(found, process.stdout.isTTY),
      );
    });
}

function roles(text: string, before: Readonly<Record<string, string>> = {}): Record<string, string> {
  const equals = text.indexOf('=');
  if (equals < 1) throw new InvalidArgumentError('Expected role=column, as in prompt=question.');
  return { ...before, [text.slice(0, equals)]: text.slice(equals + 1) };
}

async function inspected(path: string | undefined, options: InspectOptions): Promise<Inspection> {
  const { preset, columns, format, model } = options;
  const choice: DatasetChoice = {
    ...(preset !== undefined && { preset }),
    ...(path !== undefined && { path }),
    ...(columns && { columns }),
  };
  const dataset = datasetOf(choice);
  const source = await openSource(dataset.path, format);
  const opened = model === undefined ? undefined : await openWords(model);
  try {
    const limit = options.limit ?? (opened ? TOKENIZED : Infinity);
    const asked = Object.keys(dataset.columns).length > 0;
    return await looked(source, {
      limit,
      seed: options.seed,
      ...(asked && { examiner: new Examiner(source, dataset, opened) }),
    });
  } finally {
    await opened?.encoder.close();
    await source.close();
  }
}

async function looked(
  source: Source,
  options: Parameters<typeof inspect>[1] & { limit: number },
): Promise<Inspection> {
  const bar = progressBar('rows', Math.min(options.limit, source.rows));
  try {
    return await inspect(source, { ...options, progress: (seen) => bar.update(seen) });
  } finally {
    bar.stop();
  }
}

/** What makes tokens of rows: no weights are read. */
async function openWords(reference: string): Promise<ConstructorParameters<typeof Examiner>[2] & object> {
  const directory = await localFolder(reference);
  const tokenizer = await loadTokenizer(directory);
  const template = await loadChatTemplate(directory, tokenizer);
  const { contextLength: context } = await loadModelConfig(directory);
  return { encoder: createEncoder(template, { context, overflow: 'drop' }), tokenizer, context };
}
