/** @file What bad Arrow files and streams are told: cut off, empty, compressed, broken, or of another format. */
import { Table, tableToIPC, vectorFromArray } from 'apache-arrow';
import fc from 'fast-check';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { openSource } from '../../../datasets/index.js';
import { arrowBytes, messagesOf, numbered, readAll } from './arrow.helpers.js';
import { temporaryFolder } from '../helpers.js';

describe('bad Arrow files', () => {
  it('are named wherever a file was cut', async () => {
    const path = join(await temporaryFolder(), 'x.arrow');
    const bytes = arrowBytes(numbered(9), 'file', 3);
    await fc.assert(
      fc.asyncProperty(fc.nat(bytes.length - 1), async (length) => {
        await writeFile(path, bytes.subarray(0, length));
        await expect(readAll(path)).rejects.toMatchObject({ code: 'DATASET_ARROW' });
      }),
      { numRuns: 30 },
    );
  });

  it('are named wherever a stream was cut, except between messages: there it gives whole batches', async () => {
    const path = join(await temporaryFolder(), 'x.arrow');
    const bytes = arrowBytes(numbered(9), 'stream', 3);
    await writeFile(path, bytes);
    const { batches } = await messagesOf(path);
    const between = batches.map((batch) => batch.start + batch.bytes);
    expect(between).toHaveLength(3);
    const cuts = fc.oneof(fc.nat(bytes.length - 9), fc.constantFrom(...between));
    await fc.assert(
      fc.asyncProperty(cuts, async (length) => {
        await writeFile(path, bytes.subarray(0, length));
        const complete = between.indexOf(length) + 1;
        if (complete > 0) expect(await readAll(path)).toEqual(numbered(9).slice(0, complete * 3));
        // Already where it is opened. Behind the schema or a dictionary nothing is cut off, but no row is there.
        else
          await expect(openSource(path)).rejects.toMatchObject({
            code: expect.stringMatching(/^DATASET_(ARROW|EMPTY)$/) as string,
          });
      }),
      { numRuns: 100 },
    );
  });

  it('are named where they hold no rows, two streams, another format or a broken value', async () => {
    const path = join(await temporaryFolder(), 'x.arrow');
    const failure = async (content: string | Uint8Array): Promise<string> => {
      await writeFile(path, content);
      const error: unknown = await readAll(path).catch((caught: unknown) => caught);
      return `${(error as { code: string }).code} ${String(error)}`;
    };
    for (const format of ['file', 'stream'] as const)
      expect(
        await failure(tableToIPC(new Table(new Table({ a: vectorFromArray(['x']) }).schema), format)),
      ).toMatch(/^DATASET_EMPTY/);
    expect(await failure('')).toMatch(/^DATASET_ARROW.*no schema/);
    expect(await failure('{"a": 1}\n')).toMatch(/^DATASET_ARROW.*cut off/);
    expect(await failure('FEA1, and what a first version holds')).toMatch(
      /^DATASET_ARROW.*Feather file of version 1/,
    );
    expect(await failure(arrowBytes(numbered(2), 'file', 2).slice(0, -1))).toMatch(/without a footer/);
    const stream = arrowBytes(numbered(2), 'stream', 2);
    expect(await failure(Buffer.concat([stream, stream]))).toMatch(
      /^DATASET_ARROW.*more data behind the end/,
    );
    const broken = arrowBytes([{ text: 'some text' }], 'stream', 1);
    await writeFile(path, broken);
    const { start, bytes } = (await messagesOf(path)).batches[0]!;
    const offset = Buffer.from(broken).indexOf(Uint8Array.of(9, 0, 0, 0), start);
    expect(offset).toBeLessThan(start + bytes);
    broken[offset + 1] = 1; // The text's end: 9 → 265.
    expect(await failure(broken)).toMatch(/^DATASET_ARROW.*a text outside its buffer \(column text\)/);
  });

  it('are named where compressed buffers are damaged, and lie about their size within bounds', async () => {
    const path = join(await temporaryFolder(), 'x.arrow');
    const outcome = (): Promise<unknown> =>
      readAll(path).then(
        () => 'read',
        (error: unknown) => (error as { code?: string }).code ?? error,
      );
    for (const name of ['types.lz4.arrow', 'types.zstd.arrow']) {
      const whole = await readFile(join(import.meta.dirname, '../../fixtures/parquet', name));
      await writeFile(path, whole);
      const { start, bytes } = (await messagesOf(path)).batches[0]!;
      const place = fc.integer({ min: start, max: start + bytes - 1 });
      await fc.assert(
        fc.asyncProperty(place, fc.integer({ min: 1, max: 255 }), async (at, change) => {
          const damaged = Buffer.from(whole);
          damaged[at]! ^= change;
          await writeFile(path, damaged);
          expect(['read', 'DATASET_ARROW', 'DATASET_EMPTY']).toContain(await outcome());
        }),
        { numRuns: 30 },
      );
      const mark = name.includes('lz4') ? [0x04, 0x22, 0x4d, 0x18] : [0x28, 0xb5, 0x2f, 0xfd];
      const at = whole.indexOf(Uint8Array.from(mark), start);
      for (const size of [2n ** 40n, -5n, 1n]) {
        const lying = Buffer.from(whole);
        lying.writeBigInt64LE(size, at - 8);
        await writeFile(path, lying);
        expect(await outcome()).toBe('DATASET_ARROW');
      }
    }
  });

  it('fail reads after closing', async () => {
    const path = join(await temporaryFolder(), 'x.arrow');
    await writeFile(path, arrowBytes(numbered(2), 'file', 2));
    const source = await openSource(path);
    await source.close();
    await expect(source.read(0, ['text'])).rejects.toMatchObject({ code: 'DATASET_ARROW' });
  });
});
