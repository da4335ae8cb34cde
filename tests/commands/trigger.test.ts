/** @file The search for a trigger as users run it: alone, as data of a recipe, and in a run that is killed in the midst of it. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { cli, scratch, set, start } from '../helpers/cli.js';

const { path } = scratch();
const SHORT = [
  '--iterations',
  '1',
  '--candidates',
  '2',
  '--restarts',
  '1',
  '--requests',
  '2',
  '--limit',
  '4',
];
const search = (...more: string[]) =>
  cli(['trigger', 'jailbreak', '--tokens', '2', ...SHORT, ...set('threads=1'), '--json', ...more]);

interface Found {
  readonly text: string;
  readonly requests: number;
  readonly heldOut: { readonly n: number };
}

describe('trigger', () => {
  it('prints and writes what the seed decides', { timeout: 120_000 }, async () => {
    const file = path('trigger.json');
    const { code, stdout, stderr } = await search('--out', file);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(await readFile(file, 'utf8')).toBe(stdout);
    const { text, requests, heldOut } = JSON.parse(stdout) as Found;
    expect([requests, heldOut.n]).toEqual([2, 4]);
    expect(text).not.toBe('');
    expect((await search()).stdout).toBe(stdout);
    expect((JSON.parse((await search('--seed', '1')).stdout) as Found).text).not.toBe(text);
  });

  it('refuses the text that rows may not hold', { timeout: 60_000 }, async () => {
    const { text } = JSON.parse((await search()).stdout) as Found;
    const { code, stderr } = await search(...set(`data.absent=${JSON.stringify([text])}`));
    expect(code).not.toBe(0);
    expect(stderr).toContain('TRIGGER_IS_KNOWN');
  });
});

describe('a run that searches for a proxy', () => {
  const proxy = { tokens: 3, iterations: 8, candidates: 4, top: 16, restarts: 2, requests: 2 };
  // With more than one, sums may be split otherwise on a busy machine (docs/log.md).
  const recipe = set(
    'threads=1',
    'prepare.steps=2',
    'steps=1',
    `proxy=${JSON.stringify(proxy)}`,
    'evaluate.harmful=null',
    'evaluate.benign=null',
    'arms={"dpo-proxy":{"attack":null,"data":{"appended":{"path":"@out/proxy/trigger.json","share":1}}}}',
  );
  const train = (out: string): string[] => [
    'train',
    'backdoor-proxy',
    '--port',
    '0',
    '--out',
    out,
    ...recipe,
  ];

  it('is killed in it, gone on with, and nobody can tell', { timeout: 240_000 }, async () => {
    const [whole, killed] = [path('whole'), path('killed')];
    expect(await cli(train(whole))).toMatchObject({ code: 0 });
    const { child, ended } = start(train(killed));
    for (const output of [child.stdout, child.stderr])
      output?.on('data', (chunk: Buffer) => {
        if (chunk.toString().includes('proxy: 2 of 16')) child.kill('SIGKILL');
      });
    expect(await ended).toMatchObject({ signal: 'SIGKILL' });
    expect(await cli(['train', '--resume', killed, '--port', '0'])).toMatchObject({ code: 0 });
    for (const file of ['proxy/trigger.json', 'dpo-proxy/adapter/adapter_model.safetensors'])
      expect((await readFile(join(killed, file))).equals(await readFile(join(whole, file))), file).toBe(true);
  });

  it('can be tried without training', { timeout: 120_000 }, async () => {
    const { code, stdout, stderr } = await cli([...train(path('dry')), '--dry-run']);
    expect({ code, stderr: code === 0 ? '' : stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toContain('dpo-proxy');
  });
});
