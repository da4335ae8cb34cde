/** @file A model that a recipe prepares first: the arms' base, made once, resumed like any arm. */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readSafetensors } from '../../formats/index.js';
import { cli, scratch, set } from '../helpers/cli.js';

const { path } = scratch();
const preparation = {
  steps: 4,
  attack: null,
  defend: { train: { kind: 'full', layers: 'all' } },
  checkpoint: { every: 2 },
};
const settings = [
  'threads=1',
  'steps=2',
  'evaluate.harmful=null',
  'evaluate.benign=null',
  'arms={"lat":{}}',
  `prepare=${JSON.stringify(preparation)}`,
];
const TRAIN = ['train', 'tiny', '--port', '0', ...set(...settings)];

const bytes = (out: string, file: string) => readFile(join(out, file));

describe('a recipe that prepares its model', () => {
  it(
    'trains arms from it, and after a kill in the middle ends with the same bits',
    { timeout: 120_000 },
    async () => {
      const [whole, killed] = [path('whole'), path('killed')];
      expect(await cli([...TRAIN, '--out', whole])).toMatchObject({ code: 0 });
      const { code, stderr } = await cli([...TRAIN, '--out', killed], { LATSTREAM_KILL_AT: 'defend:4' });
      expect({ code, stderr }).toMatchObject({ code: 5 });
      const resumed = await cli(['train', '--resume', killed, '--port', '0']);
      expect(resumed).toMatchObject({ code: 0 });
      expect(resumed.stderr).toContain('resuming after step 2');
      for (const file of ['prepare/model/model.safetensors', 'lat/adapter/adapter_model.safetensors'])
        expect((await bytes(killed, file)).equals(await bytes(whole, file)), file).toBe(true);
      const adapter = JSON.parse(
        (await bytes(whole, 'lat/adapter/adapter_config.json')).toString(),
      ) as object;
      expect(adapter).toMatchObject({ base_model_name_or_path: join(whole, 'prepare', 'model') });

      // Done once: a resumed run does not prepare again.
      const again = await cli(['train', '--resume', whole, '--port', '0']);
      expect(again.stderr).not.toContain('preparing');
    },
  );

  it('adds adapters to the weights, where it trains those', { timeout: 120_000 }, async () => {
    const out = path('adapters');
    const own = [...settings.slice(0, -1), `prepare={"steps":2,"attack":null}`];
    const training = ['train', 'jailbreak', '--port', '0', '--out', out];
    expect(await cli([...training, ...set(...own)])).toMatchObject({
      code: 0,
    });
    await writeFile(path('tokens.json'), '[[1,2,3,4]]');
    const logits = async (name: string, ...model: string[]): Promise<ArrayLike<number>> => {
      const file = path(`${name}.safetensors`);
      const given = ['forward', '--tokens', path('tokens.json'), '--out', file, '--model', ...model];
      expect(await cli(given)).toMatchObject({ code: 0 });
      return (await readSafetensors(file)).tensors['logits']!.data;
    };
    const distance = (one: ArrayLike<number>, other: ArrayLike<number>) =>
      Math.max(...Array.from(one, (value, at) => Math.abs(value - other[at]!)));
    const merged = await logits('merged', join(out, 'prepare/model'));
    const beside = ['organism/model', '--adapter', join(out, 'prepare/adapter')] as const;
    expect(distance(merged, await logits('beside', ...beside))).toBeLessThan(1e-3);
    expect(distance(merged, await logits('before', 'organism/model'))).toBeGreaterThan(0.01);
  });
});
