/** @file `latstream calibrate`: which sites and radii mean something for this model. */
import type { Command } from 'commander';
import { pack, readRows, tokenizeRow, type Example } from '../datasets/index.js';
import { parseSite } from '../engine/models/index.js';
import { calibrate, type AttackConfig, type Calibration } from '../operators/index.js';
import { withOpenModel, type Asked } from './asked.js';
import { amounts, names, whole, wholes, withModel, type ModelOptions } from './options.js';
import { progressBar } from './progress.js';
import { tableOf } from './run/summary.js';

interface CalibrateOptions extends ModelOptions {
  readonly data: string;
  readonly columns: string[];
  readonly rows: number;
  readonly sites?: string[];
  readonly epsilons: number[];
  readonly iterations: number[];
  readonly json?: boolean;
}

export function addCalibrate(program: Command): void {
  withModel(
    program
      .command('calibrate')
      .description('residual norms by site, and how far attacks get over sites, radii and iterations'),
  )
    .requiredOption('--data <file>', 'Parquet or JSON lines with prompts, adversarial and desired answers')
    .option('--columns <names>', 'its columns: prompt, adversarial, desired', names, [
      'prompt',
      'adversarial',
      'desired',
    ])
    .option('--rows <n>', 'rows that are attacked together', whole(1), 8)
    .option(
      '--sites <names>',
      'separated by commas; embedding and the residual stream of every other block if not given',
      names,
    )
    .option(
      '--epsilons <fractions>',
      'of the (geometric) mean residual norm at the site',
      amounts,
      [0.05, 0.1, 0.2, 0.4, 0.8],
    )
    .option('--iterations <numbers>', 'of the attack', wholes, [4, 16])
    .option('--json', 'print norms, losses and the suggestion as JSON')
    .action(async (options: CalibrateOptions) => {
      const calibration = await withOpenModel(options, (asked) => sweep(asked, options));
      process.stdout.write(options.json ? `${JSON.stringify(calibration)}\n` : forPeople(calibration));
    });
}

async function sweep(asked: Asked, options: CalibrateOptions): Promise<Calibration> {
  const { stage, model, weights } = asked;
  const sites = options.sites ?? usualSites(stage.config.layers);
  sites.forEach((site) => parseSite(stage.config, site));
  const batch = pack(await examples(asked, options), { attacked: 'prompt' });
  const base: AttackConfig = {
    sites: [],
    segments: 'prompt',
    epsilon: 0,
    iterations: 0,
    learningRate: 0,
    betas: [0.9, 0.999],
    adamEpsilon: 1e-8,
    weightDecay: 0,
    losses: { toward: 1 },
  };
  const grid = { sites, fractions: options.epsilons, iterations: options.iterations };
  const bar = progressBar('attacks', sites.length * grid.fractions.length * grid.iterations.length);
  try {
    return await calibrate(stage.engine, model, weights, batch, grid, base, () => bar.step());
  } finally {
    bar.stop();
  }
}

async function examples({ stage }: Asked, options: CalibrateOptions): Promise<Example[]> {
  const [prompt = 'prompt', adversarial = 'adversarial', desired = 'desired'] = options.columns;
  const rows = await readRows(options.data, { prompt, adversarial, desired }, { limit: options.rows });
  return rows.flatMap((row, index) => {
    const example = tokenizeRow(row, stage.template, {
      context: stage.config.contextLength,
      owner: `dataset ${options.data}, row ${index}`,
    });
    return example ? [example] : [];
  });
}

function usualSites(layers: number): string[] {
  const blocks = Array.from({ length: layers }, (_, layer) => layer).filter((layer) => layer % 2 === 1);
  return ['embedding', ...(blocks.length > 0 ? blocks : [0]).map((layer) => `layers.${layer}.residual`)];
}

function forPeople({ norms, points, suggestion }: Calibration): string {
  const digits = (value: number): string => value.toPrecision(3);
  const normTable = tableOf([
    ['site', 'activation norm', 'residual norm'],
    ...norms.map(({ site, activation, residual }) => [site, digits(activation), digits(residual)]),
  ]);
  const lossTable = tableOf([
    ['site', 'ε / norm', 'ε', 'iterations', 'loss before', 'loss after'],
    ...points.map(({ site, fraction, epsilon, iterations, before, after }) => [
      site,
      String(fraction),
      digits(epsilon),
      String(iterations),
      digits(before),
      digits(after),
    ]),
  ]);
  const advice = suggestion
    ? `suggestion: attack.sites=["${suggestion.site}"] attack.epsilon=${digits(suggestion.epsilon)} ` +
      `attack.iterations=${suggestion.iterations} attack.learningRate=${digits(suggestion.epsilon / 4)}`
    : 'no attack lowered the loss: try larger radii or more iterations';
  return `${normTable}\n\n${lossTable}\n\n${advice}\n`;
}
