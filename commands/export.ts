/** @file `latstream export`: a model, with adapters added to its weights, as a folder that transformers loads. */
import { readdir } from 'node:fs/promises';
import { InvalidArgumentError, Option, type Command } from 'commander';
import { sizeOf } from '../engine/index.js';
import {
  mergedParameters,
  readAdapters,
  saveModel,
  type Model,
  type WeightType,
} from '../engine/models/index.js';
import { complain } from '../foundation/index.js';
import { beginningOf } from './asked.js';
import { copyCompanions } from './run/companions.js';
import { engineOf } from './run/engine-of.js';
import { localFolder } from './fetch.js';
import { withModel, type ModelOptions } from './options.js';
import { makeDirectory } from './outputs.js';
import { progressBar } from './progress.js';
import { startingModel, type StartingModel } from './run/starting-model.js';

interface ExportOptions extends ModelOptions {
  readonly out: string;
  readonly dtype: WeightType;
  readonly maxShardSize: number;
  readonly json?: boolean;
}

export function addExport(program: Command): void {
  withModel(program.command('export').description('write a model, adapters merged, as transformers loads it'))
    .requiredOption('--out <dir>', 'directory to write, new or empty')
    .addOption(
      new Option('--dtype <type>', 'of the weights')
        .choices(['float32', 'float16', 'bfloat16'])
        .default('float32'),
    )
    .option('--max-shard-size <size>', 'most tensor bytes in a file: 5GB, 500MB, 1GiB', byteCount, 5e9)
    .option('--json', 'print {"out", "files", "parameters", "dtype"}')
    .action(async (options: ExportOptions) => {
      const { out, dtype } = options;
      const { config, parameters, directory } = await merged(options);
      await makeEmpty(out);
      const files = await written(out, { config, parameters }, options);
      const all = [...files, ...(await copyCompanions(directory, out))];
      const count = Object.values(parameters).reduce((sum, { shape }) => sum + sizeOf(shape), 0);
      process.stdout.write(
        options.json
          ? `${JSON.stringify({ out, files: all, parameters: count, dtype })}\n`
          : `${count} parameters in ${dtype} in ${out}: ${all.join(', ')}\n`,
      );
    });
}

/** The model of the options, adapters added. The output is looked at first: merging is the long part. */
async function merged(options: ExportOptions): Promise<StartingModel> {
  await refuseFull(options.out);
  const model = await startingModel(beginningOf(options));
  if (options.adapter === undefined) return model;
  const adapters = await readAdapters(await localFolder(options.adapter, 'adapter'), model.config);
  const engine = await engineOf(options);
  const bar = progressBar('merging', Object.keys(adapters.adapters).length / 2);
  try {
    const { config, parameters } = model;
    return {
      ...model,
      parameters: await mergedParameters(engine, config, parameters, adapters, () => bar.step()),
    };
  } finally {
    bar.stop();
    await engine.dispose();
  }
}

async function written(
  out: string,
  model: Pick<Model, 'config' | 'parameters'>,
  { dtype, maxShardSize }: ExportOptions,
): Promise<string[]> {
  const bytes = Object.values(model.parameters).reduce(
    (sum, { shape }) => sum + sizeOf(shape) * (dtype === 'float32' ? 4 : 2),
    0,
  );
  const bar = progressBar('writing, MB', Math.ceil(bytes / 1e6));
  let done = 0;
  try {
    return await saveModel(out, model, {
      type: dtype,
      shardBytes: maxShardSize,
      onFile: (file, more) => bar.update(Math.ceil((done += more) / 1e6), file),
    });
  } finally {
    bar.stop();
  }
}

async function makeEmpty(out: string): Promise<void> {
  await makeDirectory(out);
  await refuseFull(out);
}

/** @throws OUT_NOT_EMPTY */
async function refuseFull(out: string): Promise<void> {
  const found = await readdir(out).catch(() => []);
  if (found.length > 0)
    complain({
      code: 'OUT_NOT_EMPTY',
      owner: `--out ${out}`,
      expected: 'a directory that is new or empty',
      got: `one that holds ${found.slice(0, 3).join(', ')}${found.length > 3 ? ', …' : ''}`,
      hint: 'choose another --out',
    });
}

const UNITS: Readonly<Record<string, number>> = {
  '': 1,
  KB: 1e3,
  MB: 1e6,
  GB: 1e9,
  KIB: 2 ** 10,
  MIB: 2 ** 20,
  GIB: 2 ** 30,
};

/** `5GB` as bytes. */
function byteCount(text: string): number {
  const [, digits, unit = ''] = /^(\d+(?:\.\d+)?)\s*([a-z]*)$/i.exec(text) ?? [];
  const bytes = Number(digits) * (UNITS[unit.toUpperCase()] ?? NaN);
  if (bytes >= 1) return bytes;
  throw new InvalidArgumentError('Expected a size such as 5GB, 500MB or 1GiB.');
}
