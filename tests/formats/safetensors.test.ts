/** @file The safetensors reader and writer: round trips, and every lie a header can tell. */
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { LatstreamError } from '../../foundation/index.js';
import {
  readSafetensors,
  readSafetensorsHeader,
  writeSafetensors,
  type StoredTensor,
} from '../../formats/index.js';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'latstream-safetensors-'));
});
afterAll(() => rm(folder, { recursive: true }));

const shape = fc.array(fc.integer({ min: 0, max: 4 }), { maxLength: 3 });
const size = (extents: readonly number[]) => extents.reduce((product, extent) => product * extent, 1);
const tensor: fc.Arbitrary<StoredTensor> = shape.chain((extents) =>
  fc.oneof(
    fc
      .float32Array({ minLength: size(extents), maxLength: size(extents) })
      .map((data) => ({ dtype: 'float32' as const, shape: extents, data })),
    fc
      .int32Array({ minLength: size(extents), maxLength: size(extents) })
      .map((data) => ({ dtype: 'int32' as const, shape: extents, data })),
  ),
);
const tensors = fc.dictionary(
  fc.string({ minLength: 1 }).filter((name) => name !== '__metadata__'),
  tensor,
  { maxKeys: 4 },
);

/** A file of this header and so many bytes of data. */
async function lie(header: unknown, dataBytes: number, length?: bigint): Promise<string> {
  const text = Buffer.from(typeof header === 'string' ? header : JSON.stringify(header));
  const start = Buffer.alloc(8);
  start.writeBigUInt64LE(length ?? BigInt(text.length));
  const path = join(folder, 'lie.safetensors');
  await writeFile(path, Buffer.concat([start, text, Buffer.alloc(dataBytes)]));
  return path;
}

const codeOf = (path: string): Promise<string> =>
  readSafetensors(path).then(
    () => 'read',
    (error: unknown) => (error instanceof LatstreamError ? error.code : `not coded: ${String(error)}`),
  );

describe('readSafetensors', () => {
  it('reads back what writeSafetensors wrote, bit for bit', async () => {
    const path = join(folder, 'round.safetensors');
    const metadata = fc.option(fc.dictionary(fc.string(), fc.string()), { nil: undefined });
    await fc.assert(
      fc.asyncProperty(tensors, metadata, async (written, texts) => {
        await writeSafetensors(path, written, texts ? { metadata: texts } : {});
        const read = await readSafetensors(path);
        expect(Object.entries(read.tensors)).toEqual(Object.entries(written));
        expect(Object.entries(read.metadata)).toEqual(Object.entries(texts ?? {}));
      }),
      { numRuns: 50 },
    );
  });

  it('reads only the tensors that are wanted', async () => {
    const path = join(folder, 'some.safetensors');
    const one = { dtype: 'float32' as const, shape: [1], data: Float32Array.of(1) };
    await writeSafetensors(path, { a: one, b: one, c: one });
    expect(Object.keys((await readSafetensors(path, (name) => name !== 'b')).tensors)).toEqual(['a', 'c']);
    expect((await readSafetensorsHeader(path)).entries.map(({ name }) => name)).toEqual(['a', 'b', 'c']);
  });

  it('reads files of the reference implementation', async () => {
    const { tensors: found, metadata } = await readSafetensors('tests/fixtures/lat/model/model.safetensors');
    expect(metadata).toEqual({ format: 'pt' });
    expect(found['model.embed_tokens.weight']?.shape).toEqual([96, 32]);
    expect(found['model.norm.weight']?.data.every(Number.isFinite)).toBe(true);
  });

  it('a file cut anywhere is an error with a code', async () => {
    const whole = await readFile('tests/fixtures/lat/rmu.control.safetensors');
    const path = join(folder, 'cut.safetensors');
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 0, max: whole.length - 1 }), async (length) => {
        await writeFile(path, whole.subarray(0, length));
        expect(await codeOf(path)).toBe('SAFETENSORS_TRUNCATED');
      }),
      { numRuns: 50 },
    );
  });

  it('a changed byte of the header is read or refused with a code, never anything else', async () => {
    const whole = await readFile('tests/fixtures/lat/rmu.control.safetensors');
    const end = 8 + Number(whole.readBigUInt64LE(0));
    const path = join(folder, 'changed.safetensors');
    await fc.assert(
      fc.asyncProperty(fc.nat(end - 1), fc.nat(255), async (at, byte) => {
        const changed = Buffer.from(whole);
        changed[at] = byte;
        await writeFile(path, changed);
        expect(await codeOf(path)).toMatch(/^(read|SAFETENSORS_[A-Z]+)$/);
      }),
      { numRuns: 200 },
    );
  });

  const entry = (dtype: unknown, extents: unknown, offsets: unknown) => ({
    dtype,
    shape: extents,
    data_offsets: offsets,
  });
  it.each([
    ['a giant header', '{}', 0, 'SAFETENSORS_HEADER', 2n ** 62n],
    ['a header longer than the file', '{}', 0, 'SAFETENSORS_TRUNCATED', 50n],
    ['no JSON', 'x', 0, 'SAFETENSORS_HEADER'],
    ['a list', [], 0, 'SAFETENSORS_HEADER'],
    ['metadata of numbers', { __metadata__: { a: 1 } }, 0, 'SAFETENSORS_HEADER'],
    ['a tensor that is a number', { a: 1 }, 0, 'SAFETENSORS_HEADER'],
    ['a negative extent', { a: entry('F32', [-1], [0, 4]) }, 4, 'SAFETENSORS_HEADER'],
    ['a fractional extent', { a: entry('F32', [0.5], [0, 2]) }, 2, 'SAFETENSORS_HEADER'],
    ['one offset', { a: entry('F32', [1], [0]) }, 4, 'SAFETENSORS_HEADER'],
    ['an unknown type', { a: entry('F64', [1], [0, 8]) }, 8, 'SAFETENSORS_DTYPE'],
    ['no type', { a: entry(undefined, [1], [0, 8]) }, 8, 'SAFETENSORS_DTYPE'],
    ['offsets that do not fit the shape', { a: entry('F32', [2], [0, 4]) }, 4, 'SAFETENSORS_SIZE'],
    ['offsets in reverse', { a: entry('F32', [1], [4, 0]) }, 4, 'SAFETENSORS_SIZE'],
    ['data out of range', { a: entry('F32', [2], [0, 8]) }, 4, 'SAFETENSORS_TRUNCATED'],
    ['data after the last tensor', { a: entry('F32', [1], [0, 4]) }, 8, 'SAFETENSORS_TRUNCATED'],
    ['overlap', { a: entry('F32', [2], [0, 8]), b: entry('F32', [2], [4, 12]) }, 12, 'SAFETENSORS_OVERLAP'],
    ['a gap', { a: entry('F32', [1], [0, 4]), b: entry('F32', [1], [8, 12]) }, 12, 'SAFETENSORS_OVERLAP'],
  ] as const)('refuses %s', async (_, header, bytes, code, length?: bigint) => {
    expect(await codeOf(await lie(header, bytes, length))).toBe(code);
  });

  it('names the file that is not there', async () => {
    const path = join(folder, 'nowhere.safetensors');
    await expect(readSafetensors(path)).rejects.toThrow(path);
    expect(await codeOf(path)).toBe('SAFETENSORS_MISSING');
  });

  it('narrows 64-bit integers, and refuses those that do not fit', async () => {
    const file = async (value: bigint): Promise<string> => {
      const path = await lie({ a: entry('I64', [1], [0, 8]) }, 8);
      const bytes = await readFile(path);
      bytes.writeBigInt64LE(value, bytes.length - 8);
      await writeFile(path, bytes);
      return path;
    };
    expect((await readSafetensors(await file(-7n))).tensors['a']?.data).toEqual(Int32Array.of(-7));
    expect(await codeOf(await file(2n ** 31n))).toBe('SAFETENSORS_RANGE');
  });
});

describe('writeSafetensors', () => {
  it('stores 16-bit floats at half the size, and reads them back rounded', async () => {
    const path = join(folder, 'half.safetensors');
    const data = Float32Array.of(1, -0.5, 1 + 2 ** -7, 3.0e38);
    for (const [floats, expected] of [
      ['BF16', [1, -0.5, 1 + 2 ** -7, 2.99e38]],
      ['F16', [1, -0.5, 1 + 2 ** -7, Infinity]],
    ] as const) {
      await writeSafetensors(path, { a: { dtype: 'float32', shape: [4], data } }, { floats });
      expect((await readSafetensorsHeader(path)).entries[0]?.end).toBe(8);
      const read = (await readSafetensors(path)).tensors['a']!.data;
      expect([...read.slice(0, 3)]).toEqual(expected.slice(0, 3));
      expect(read[3] === expected[3] || Math.abs(read[3]! / expected[3] - 1) < 2 ** -7).toBe(true);
    }
  });

  it('a write that fails leaves the old file and nothing else', async () => {
    const place = await mkdtemp(join(folder, 'atomic-'));
    const path = join(place, 'model.safetensors');
    const good = { a: { dtype: 'float32' as const, shape: [1], data: Float32Array.of(1) } };
    await writeSafetensors(path, good);
    const bad = {
      dtype: 'float32' as const,
      shape: [1],
      get data(): Float32Array {
        throw new Error('lost');
      },
    };
    let reads = 0;
    const late = {
      ...good,
      b: {
        dtype: 'float32' as const,
        shape: [1],
        get data() {
          return ++reads > 1 ? bad.data : Float32Array.of(2);
        },
      },
    };
    await expect(writeSafetensors(path, late)).rejects.toThrow('lost');
    expect(await readdir(place)).toEqual(['model.safetensors']);
    expect((await readSafetensors(path)).tensors).toEqual(good);
  });
});
