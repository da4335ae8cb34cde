/** @file Every recipe that comes with latstream runs: two steps of each arm, a few requests, through the command line. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { RECIPES } from '../../recipes/index.js';
import { cli, scratch, set } from '../helpers/cli.js';

const { path } = scratch();
const SHORT = [
  // Half the work of two: products are so small that a second thread mostly waits, spinning, on a core that others want.
  'threads=1',
  'steps=2',
  'evaluate.requests=4',
  'evaluate.every=0',
  'evaluate.maxNewTokens=4',
  'checkpoint.every=1',
];

/** What some recipes need besides: two steps of preparation; for models that are elsewhere, the embedded one and its tables. */
const HERE: Readonly<Record<string, readonly string[]>> = {
  backdoor: ['prepare.steps=2'],
  'backdoor-proxy': [
    'prepare.steps=2',
    'proxy={"tokens":4,"iterations":2,"candidates":4,"top":16,"restarts":1,"requests":2}',
  ],
  instruct: [
    'prepare.steps=2',
    'model.path=@package/organism/model',
    'data.pairs={"path":"@package/organism/data/harmful.parquet","columns":{"prompt":"prompt","adversarial":"adversarial","desired":"desired"}}',
    'data.benign={"path":"@package/organism/data/benign.parquet","columns":{"prompt":"prompt","completion":"completion"}}',
    'data.minimum={"length":80}',
    'attack.sites=["embedding","layers.1.residual"]',
    'evaluate.harmful={"path":"@package/organism/data/harmful-held-out.parquet"}',
    'evaluate.benign={"path":"@package/organism/data/benign-held-out.parquet"}',
    'evaluate.probes={"lookalike":{"path":"@package/organism/data/benign-held-out.parquet"}}',
  ],
};

describe('train', () => {
  it.each(Object.keys(RECIPES))('runs %s', { timeout: 300_000 }, async (name) => {
    const given = set(...SHORT, ...(HERE[name] ?? []));
    const { code, stderr, stdout } = await cli(['train', name, '--out', path(name), '--port', '0', ...given]);
    expect({ code, stderr }).toMatchObject({ code: 0 });
    expect(stdout).toContain('benign: correct');
    const summary = JSON.parse(await readFile(join(path(name), 'summary.json'), 'utf8')) as {
      arms: { name: string; steps: number; evaluation: { attacks: object } }[];
    };
    expect(summary.arms.map((arm) => arm.name)).toEqual(Object.keys(RECIPES[name]?.().arms ?? {}));
    for (const { steps, evaluation } of summary.arms) {
      expect(steps).toBe(2);
      expect(Object.keys(evaluation.attacks)).toContain('direct');
    }
  });
});
