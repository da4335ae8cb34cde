/** @file `latstream data inspect` as users run it. */
import { writeFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { spawnSync } from 'node:child_process';
import { cli, scratch } from '../helpers/cli.js';

const { path } = scratch();
const columns = ['--columns', 'prompt=prompt', 'adversarial=adversarial', 'desired=desired'];
const harmful = 'organism/data/harmful.parquet';

describe('data inspect', () => {
  it('shows columns, bars and a sample with its loss mask, and says what was looked at', async () => {
    const { code, stdout, stderr } = await cli([
      'data',
      'inspect',
      harmful,
      ...columns,
      '--model',
      'organism/model',
    ]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toMatch(/512 rows in 1 groups of 1 file/);
    expect(stdout).toContain('looked at ALL rows');
    expect(stdout).toMatch(/adversarial {2}text {6}0/);
    expect(stdout).toMatch(/prompt, tokens\n {2}8–15 █+ 100.0 %/);
    expect(stdout).toMatch(/make examples {4}512 {2}100.0 %/);
    expect(stdout).toMatch(
      /prompt: <s><\|user\|>.*<\|assistant\|>\nadversarial: ⟦.*<\/s>⟧\ndesired: ⟦.*<\/s>⟧/,
    );
    const sample = await cli(['data', 'inspect', harmful, '--limit', '10']);
    expect(sample.stdout).toContain('looked at a SAMPLE of 10 rows');
    expect(sample.stdout).toContain('name roles with --columns');
  });

  it('prints JSON, reads presets and formats, and keeps control characters out of the terminal', async () => {
    await writeFile(path('x.csv'), 'prompt,chosen,rejected\na,\u001b[31mno,yes\n');
    const args = ['data', 'inspect', path('x.csv'), '--preset', 'LLM-LAT/harmful-dataset'];
    const { stdout } = await cli(args);
    expect(stdout).toContain('desired: \ufffd[31mno');
    const {
      examples,
      columns: found,
      seen,
    } = JSON.parse((await cli([...args, '--json'])).stdout) as {
      examples: { kept: number };
      columns: object[];
      seen: number;
    };
    expect([examples.kept, found.length, seen]).toEqual([1, 3, 1]);
    const lines = await cli(['data', 'inspect', path('x.csv'), '--format', 'text', '--json']);
    expect(JSON.parse(lines.stdout)).toMatchObject({ rows: 2, columns: [{ name: 'text' }] });
  });

  it('ends with a code and the next step where nothing is to be inspected', async () => {
    const missing = await cli(['data', 'inspect', path('none.parquet'), '--json']);
    expect(missing.code).toBe(3);
    expect(JSON.parse(missing.stderr)).toMatchObject({ error: { code: 'DATASET_MISSING' } });
    expect((await cli(['data', 'inspect', harmful, '--columns', 'prompt'])).code).toBe(2);
    expect(await cli(['data', 'inspect', harmful, '--preset', 'alpaca'])).toMatchObject({
      code: 3,
      stderr: expect.stringContaining('did you mean tatsu-lab/alpaca') as string,
    });
    expect((await cli(['data', 'inspect'])).code).toBe(3);
  });
});

describe('a process that reads Parquet', () => {
  it('lives until what it closes is closed, though reads are under way', async () => {
    const script = `
      const { openSource } = await import('${process.cwd()}/dist/datasets/index.js');
      for (let at = 0; at < 3; at++) {
        const source = await openSource('${harmful}');
        source.read(0, source.columns).catch(() => undefined);
        // The answer arrives while nobody can hear it, and is heard while the thread ends.
        Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 100 * (1 + at));
        await source.close();
      }
      console.log('closed');`;
    await writeFile(path('closing.mjs'), script);
    const { status, stdout } = spawnSync(process.execPath, [path('closing.mjs')], { encoding: 'utf8' });
    expect([status, stdout]).toEqual([0, 'closed\n']);
  });
});
