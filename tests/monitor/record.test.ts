import {
  appendFileSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { LatstreamError } from '../../foundation/index.js';
import { metricsIn, openRecord, untilStep } from '../../monitor/index.js';
import type { Metric } from '../../streams/index.js';
import { metricAt, metrics } from './helpers.js';

let folder: string;
let path: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'latstream-record-'));
  path = join(folder, 'metrics.ndjson');
});
afterEach(() => rmSync(folder, { recursive: true }));

async function read(): Promise<Metric[]> {
  const found: Metric[] = [];
  for await (const metric of metricsIn(path)) found.push(metric);
  return found;
}

async function write(list: readonly Metric[], keep?: (metric: Metric) => boolean): Promise<void> {
  const record = await openRecord(path, keep);
  for (const metric of list) record.append(metric);
  await record.close();
}

describe('openRecord', () => {
  it('gives back what was appended, over any number of openings', async () => {
    await write(metrics(5));
    const record = await openRecord(path);
    expect(record.next).toBe(5);
    record.append(metricAt(5));
    expect(record.next).toBe(6);
    await record.flush();
    expect(await read()).toEqual(metrics(6));
    await record.close();
    expect(readdirSync(folder)).toEqual(['metrics.ndjson']);
  });

  it('survives a crash at any byte: complete records stay, the torn line goes, the sequence continues', async () => {
    await write(metrics(6));
    const whole = readFileSync(path);
    await fc.assert(
      fc.asyncProperty(fc.nat(whole.length), async (cut) => {
        writeFileSync(path, whole);
        truncateSync(path, cut);
        // A line whose newline alone is missing is whole.
        const complete = metrics(6).filter(
          (_, at) => whole.subarray(0, cut).toString().split('\n')[at] === whole.toString().split('\n')[at],
        );
        expect(await read()).toEqual(complete);
        const record = await openRecord(path);
        expect(record.next).toBe(complete.length);
        record.append(metricAt(record.next));
        await record.close();
        expect(await read()).toEqual(metrics(complete.length + 1));
      }),
      { numRuns: 25 },
    );
  });

  it('has each step once after a resume from a checkpoint, and leaves other runs alone', async () => {
    const refusal = metrics(4, { run: 'jailbreak/refusal' });
    const lat = [4, 5, 6, 7].map((sequence) =>
      metricAt(sequence, { run: 'jailbreak/lat', step: sequence - 4 }),
    );
    await write([...refusal, ...lat]);
    const record = await openRecord(path, untilStep('jailbreak/lat', 1));
    expect(record.next).toBe(6);
    record.append(metricAt(6, { run: 'jailbreak/lat', step: 2 }));
    await record.close();
    const steps = (await read()).map(({ run, step, sequence }) => [run.split('/')[1], step, sequence]);
    expect(steps.slice(0, 4).map(([run]) => run)).toEqual(Array(4).fill('refusal'));
    expect(steps.slice(4)).toEqual([
      ['lat', 0, 4],
      ['lat', 1, 5],
      ['lat', 2, 6],
    ]);
  });

  it('skips a damaged line in the middle', async () => {
    await write(metrics(2));
    appendFileSync(path, '{"run":"tiny/lat","seq\n\u0000\u0000\n[]\n');
    appendFileSync(path, `${JSON.stringify(metricAt(2))}\n`);
    expect(await read()).toEqual(metrics(3));
  });

  it('complains with RECORD_WRITE about a place that cannot be written', async () => {
    const error = await openRecord(join(folder, 'missing', 'metrics.ndjson')).catch(
      (reason: unknown) => reason,
    );
    expect((error as LatstreamError).code).toBe('RECORD_WRITE');
  });
});
