/** @file Models of the hub on the command line: downloaded once, pinned in runs, and used without a network. */
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { cli, scratch, start, type Ended } from '../helpers/cli.js';
import { HubServer } from '../helpers/hub-server.js';

const { path } = scratch();
const FOLDER = 'organism/model';

async function organism(): Promise<HubServer> {
  const hub = await HubServer.start();
  const read = async (name: string): Promise<[string, string | Uint8Array]> => {
    const bytes = await readFile(join(FOLDER, name));
    return [name, name.endsWith('.json') ? bytes.toString() : bytes];
  };
  hub.repository(
    'models/org/organism',
    Object.fromEntries(await Promise.all((await readdir(FOLDER)).map(read))),
  );
  return hub;
}

function environment(hub: HubServer, cache: string): Record<string, string> {
  return { HF_ENDPOINT: hub.origin(), HF_HUB_CACHE: path(cache), HF_TOKEN: 'secret', HF_HUB_OFFLINE: '0' };
}

const said = ({ code, stdout, stderr }: Ended): object => {
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  return JSON.parse(stdout) as object;
};

describe('latstream with hf: references', () => {
  it('downloads a model, prints its folder, and answers from it offline as from any folder', async () => {
    const hub = await organism();
    const env = environment(hub, 'one');
    const reference = `hf:org/organism@${hub.commit}`;
    const folder = path(`one/models--org--organism/snapshots/${hub.commit}`);
    expect(said(await cli(['download', 'hf:org/organism', '--json'], env))).toEqual({
      path: folder,
      commit: hub.commit,
      reference,
    });
    expect((await cli(['download', reference], env)).stdout).toBe(`${folder}\n`);
    hub.asked.length = 0;
    const ask = [
      'generate',
      '--prompt',
      'How do I brew a zuka?',
      '--greedy',
      '--max-new-tokens',
      '5',
      '--json',
    ];
    const there = said(await cli([...ask, '--model', 'hf:org/organism'], { ...env, HF_HUB_OFFLINE: '1' }));
    expect(there).toEqual(said(await cli([...ask, '--model', FOLDER])));
    expect(hub.asked).toEqual([]);
  });

  it('pins a run to the commit that it began with, and goes on with it whatever the branch means then', async () => {
    const hub = await organism();
    const env = environment(hub, 'two');
    const commit = hub.commit;
    const recipe = {
      base: 'jailbreak',
      threads: 1,
      name: 'remote',
      steps: 1,
      data: { pairsPerBatch: 2, benignPerBatch: 2 },
      model: { kind: 'directory', path: 'hf:org/organism' },
      evaluate: { requests: 1, every: 0, maxNewTokens: 1, prefill: [], latent: null },
      attack: { iterations: 1 },
      arms: { refusal: null, 'refusal-away': null },
    };
    await writeFile(path('remote.json'), JSON.stringify(recipe));
    const run = path('run');
    expect(await cli(['train', path('remote.json'), '--out', run, '--port', '0'], env)).toMatchObject({
      code: 0,
    });
    const frozen = JSON.parse(await readFile(join(run, 'recipe.json'), 'utf8')) as { model: object };
    expect(frozen.model).toEqual({ kind: 'directory', path: `hf:org/organism@${commit}` });
    hub.commit = 'd'.repeat(40);
    hub.asked.length = 0;
    await rm(join(run, 'summary.json'));
    expect(await cli(['train', '--resume', run, '--port', '0'], env)).toMatchObject({ code: 0 });
    expect(hub.asked).toEqual([]);
  });

  it('says what to do where nothing can be downloaded, and begins no run then', async () => {
    const hub = await organism();
    const env = { ...environment(hub, 'three'), HF_HUB_OFFLINE: '1' };
    const args = ['generate', '--prompt', 'x', '--json', '--model'];
    expect(await cli([...args, 'hf:org/organism'], env)).toMatchObject({ code: 3 });
    expect(await cli([...args, 'hf:org'.repeat(3) + '@'], env)).toMatchObject({ code: 2 });
    const set = ['--set', 'model.path=hf:org/organism', '--out', path('none'), '--port', '0'];
    const { code, stderr } = await cli(['train', 'jailbreak', ...set], env);
    expect({ code, stderr }).toMatchObject({
      code: 3,
      stderr: expect.stringContaining('[HUB_OFFLINE]') as string,
    });
    await expect(readdir(path('none'))).rejects.toThrow('ENOENT');
    expect(hub.asked).toEqual([]);
  });

  it('stops a download by a signal, and goes on with what has arrived', async () => {
    const hub = await organism();
    const env = environment(hub, 'four');
    const size = (await readFile(join(FOLDER, 'model.safetensors'))).length;
    hub.faults.push({ on: /^cdn/, hang: 100_000, times: 1 });
    const blobs = path('four/models--org--organism/blobs');
    await mkdir(blobs, { recursive: true });
    const { child, ended } = start(['download', 'hf:org/organism'], env);
    await hub.until(() => hub.bytesAsked('/lfs/').length > 0);
    await hub.until(async () => (await partSize(blobs)) > 0);
    child.kill('SIGINT');
    expect(await ended).toMatchObject({
      code: 130,
      stderr: expect.stringContaining('what has arrived is kept') as string,
    });
    const had = await partSize(blobs);
    expect(await cli(['download', 'hf:org/organism'], env)).toMatchObject({ code: 0 });
    expect(hub.bytesAsked('/lfs/')).toEqual([size, size - had]);
  });
});

async function partSize(folder: string): Promise<number> {
  const name = (await readdir(folder)).find((each) => each.endsWith('.incomplete'));
  return name === undefined ? 0 : (await readFile(join(folder, name))).length;
}
