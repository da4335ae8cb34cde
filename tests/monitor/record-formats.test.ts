/** @file A record in the formats of others: whatever was measured reads back. Event files were read with TensorBoard's own reader, too; its bytes are kept here. */
import { readFileSync } from 'node:fs';
import { parse } from 'csv-parse/sync';
import fc from 'fast-check';
import { asyncBufferFromFile, parquetReadObjects } from 'hyparquet';
import { describe, expect, it } from 'vitest';
import { eventFile } from '../../monitor/event-file.js';
import { csvLines, writeRecordTable } from '../../monitor/record-table.js';
import type { Metric } from '../../streams/index.js';
import { scratch } from '../helpers/cli.js';

const { path } = scratch();

const metric: fc.Arbitrary<Metric> = fc.record({
  run: fc.string(),
  sequence: fc.maxSafeNat(),
  time: fc.nat(),
  step: fc.maxSafeNat(),
  kind: fc.string(),
  values: fc.dictionary(fc.string(), fc.double(), { maxKeys: 5, noNullPrototype: true }),
});

async function* from(metrics: readonly Metric[]): AsyncGenerator<Metric> {
  yield* metrics;
}

/** A row for each value. */
const rowsOf = (metrics: readonly Metric[]): unknown[][] =>
  metrics.flatMap(({ sequence, time, run, step, kind, values }) =>
    Object.entries(values).map(([name, value]) => [sequence, time, run, step, kind, name, value]),
  );

describe('a record', () => {
  it('reads back from CSV', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(metric, { maxLength: 8 }), async (metrics) => {
        let text = '';
        for await (const line of csvLines(from(metrics))) text += line;
        const [head, ...rows] = parse(text, { record_delimiter: '\n' });
        expect(head?.join()).toBe('sequence,time,run,step,kind,name,value');
        expect(rows).toEqual(rowsOf(metrics).map((row) => row.map(String)));
      }),
    );
  });

  it('reads back from Parquet', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(metric, { maxLength: 8 }), async (metrics) => {
        const file = path('record.parquet');
        await writeRecordTable(file, from(metrics));
        const rows = await parquetReadObjects({ file: await asyncBufferFromFile(file) });
        const found = rows.map((row) =>
          Object.values(row as Readonly<Record<string, unknown>>).map((each) =>
            typeof each === 'bigint' ? Number(each) : each,
          ),
        );
        expect(found).toEqual(rowsOf(metrics));
      }),
      { numRuns: 30 },
    );
  });

  it('has the bytes that TensorBoard has read, with their checksums', async () => {
    const values = { loss: 0.5, 'norm/embedding': Number.NaN };
    const one = { run: 'x/lat', sequence: 0, time: 1_700_000_000_500, step: 300, kind: 'attack', values };
    const chunks: Uint8Array[] = [];
    for await (const chunk of eventFile(from([one]))) chunks.push(chunk);
    expect(Buffer.concat(chunks).toString('hex')).toBe(
      readFileSync('tests/fixtures/events.hex', 'utf8').trim(),
    );
  });
});
