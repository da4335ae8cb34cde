/** @file Headers: what is read, against another reader of the format; and what is refused, whatever was done to the bytes. */
import { gguf as otherReader } from '@huggingface/gguf';
import fc from 'fast-check';
import { mkdtemp, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { LatstreamError } from '../../../foundation/index.js';
import { openGguf } from '../../../formats/index.js';
import { LAYOUTS, type GgufType } from '../../../formats/gguf/types.js';
import { bytesOf, f32, ggufBytes, TYPE_NUMBERS, type Entry, type TensorBytes } from '../../helpers/gguf.js';

let place: string;
beforeAll(async () => {
  place = await mkdtemp(join(tmpdir(), 'gguf-'));
});
afterAll(() => rm(place, { recursive: true }));

const text = fc.string({ unit: 'grapheme', maxLength: 12 });
const entry: fc.Arbitrary<Entry> = fc.oneof(
  text,
  fc.boolean(),
  fc.integer({ min: 0, max: 2 ** 32 - 1 }),
  fc.float({ noNaN: true, noDefaultInfinity: true }).filter((value) => !Number.isInteger(value)),
  fc.array(text, { maxLength: 5 }),
  fc.array(fc.integer({ min: -9, max: 9 }), { maxLength: 5 }).map((list) => Int32Array.from(list)),
);
const key = fc
  .stringMatching(/^[a-z][a-z_.]{0,15}$/)
  .filter((name) => !/alignment|split|^version$/.test(name));
const tensor: fc.Arbitrary<TensorBytes> = fc
  .record({
    type: fc.constantFrom(...(Object.keys(LAYOUTS) as GgufType[])),
    rows: fc.integer({ min: 1, max: 3 }),
    blocks: fc.integer({ min: 1, max: 2 }),
    fill: fc.integer({ min: 0, max: 255 }),
  })
  .map(({ type, rows, blocks, fill }) => {
    const shape = [rows, blocks * LAYOUTS[type].elements];
    return { type, shape, data: new Uint8Array(bytesOf(type, shape)).fill(fill) };
  });
const file = fc.record({
  metadata: fc.dictionary(key, entry, { maxKeys: 5 }),
  tensors: fc.dictionary(key, tensor, { maxKeys: 4 }),
});

const small = (): Uint8Array =>
  ggufBytes(
    { 'general.architecture': 'llama', tokens: ['a', 'b', '\ufeff'], n: 3 },
    { first: f32([2, 3], Float32Array.of(1, 2, 3, 4, 5, 6)), second: f32([4], Float32Array.of(7, 8, 9, 10)) },
  );

/** The small file with a part of its bytes replaced, where `what` is followed by them. */
function changed(after: string | Uint8Array, bytes: Uint8Array | readonly number[], skip = 0): Uint8Array {
  const copy = Buffer.from(small());
  const at = copy.indexOf(after) + Buffer.from(after).length + skip;
  copy.set(bytes, at);
  return copy;
}

const u64 = (value: bigint): Uint8Array => new Uint8Array(BigUint64Array.of(value).buffer);

async function readAll(bytes: Uint8Array | string): Promise<Record<string, Float32Array>> {
  const gguf = await openGguf(bytes);
  try {
    const read: Record<string, Float32Array> = {};
    for (const [name, found] of gguf.tensors) read[name] = await gguf.read(found);
    gguf.metadata.texts('tokens');
    return read;
  } finally {
    await gguf.close();
  }
}

const refused = (bytes: Uint8Array, code: string): Promise<void> =>
  expect(readAll(bytes)).rejects.toMatchObject({ name: 'LatstreamError', code });

describe('openGguf', () => {
  it('reads what another reader of the format reads', async () => {
    const path = join(place, 'same.gguf');
    await fc.assert(
      fc.asyncProperty(file, async ({ metadata, tensors }) => {
        await writeFile(path, ggufBytes(metadata, tensors));
        const [ours, theirs] = [await openGguf(path), await otherReader(path, { allowLocalFile: true })];
        for (const [name, value] of Object.entries(metadata)) {
          const { metadata: read } = ours;
          const found =
            typeof value === 'string'
              ? read.text(name)
              : typeof value === 'boolean'
                ? read.flag(name)
                : typeof value === 'number'
                  ? read.number(name)
                  : Array.isArray(value)
                    ? read.texts(name)
                    : Array.from(read.numbers(name) ?? []);
          expect(found).toEqual((theirs.metadata as unknown as Record<string, unknown>)[name]);
        }
        const places = theirs.tensorInfos.map(({ name, shape, dtype, offset }) => ({
          name,
          type: dtype,
          shape: shape.map(Number).reverse(),
          begin: Number(theirs.tensorDataOffset + offset),
        }));
        expect(
          [...ours.tensors.values()].map(({ bytes: _, type, ...rest }) => ({
            ...rest,
            type: TYPE_NUMBERS[type],
          })),
        ).toEqual(places);
        await ours.close();
      }),
      { numRuns: 60 },
    );
  });

  it('reads the same from a path as from memory', async () => {
    const path = join(place, 'small.gguf');
    await writeFile(path, small());
    const read = await readAll(path);
    expect(read).toEqual(await readAll(small()));
    expect(read['second']).toEqual(Float32Array.of(7, 8, 9, 10));
  });

  it('keeps a byte order mark, which is a token like others', async () => {
    const { metadata } = await openGguf(small());
    expect(metadata.texts('tokens')).toEqual(['a', 'b', '\ufeff']);
  });

  it('reads headers longer than its first look', async () => {
    const tokens = Array.from({ length: 100_000 }, (_, id) => `${'a token of some length, '.repeat(2)}${id}`);
    const { metadata, tensors } = await openGguf(ggufBytes({ tokens, last: 'end' }, { x: small0() }));
    expect(metadata.texts('tokens')).toEqual(tokens);
    expect([metadata.text('last'), tensors.get('x')?.shape]).toEqual(['end', [1]]);
  });

  it('either reads a file or says in an error of its own what is wrong, whatever bytes are changed or cut', async () => {
    const edit = fc.record({ at: fc.nat(), byte: fc.oneof(fc.nat(255), fc.constantFrom(0, 255, 127, 128)) });
    await fc.assert(
      fc.asyncProperty(
        file,
        fc.array(edit, { maxLength: 4 }),
        fc.nat(),
        fc.boolean(),
        async (made, edits, cut, cuts) => {
          const bytes = ggufBytes(made.metadata, made.tensors);
          for (const { at, byte } of edits) bytes[at % bytes.length] = byte;
          const read = readAll(cuts ? bytes.slice(0, cut % bytes.length) : bytes);
          await read.catch((error: unknown) => {
            expect(error).toBeInstanceOf(LatstreamError);
            expect((error as LatstreamError).code).toMatch(/^GGUF_/);
          });
        },
      ),
      { numRuns: 500 },
    );
  });

  it('refuses every beginning of a file', async () => {
    const bytes = small();
    for (let length = 0; length < bytes.length - 16; length++)
      await expect(readAll(bytes.slice(0, length))).rejects.toBeInstanceOf(LatstreamError);
  });

  it.each<[string, string, () => Uint8Array]>([
    ['another format', 'GGUF_MAGIC', () => changed('', Buffer.from('GGML'))],
    ['an older version', 'GGUF_VERSION', () => changed('GGUF', [1])],
    ['the other byte order', 'GGUF_VERSION', () => changed('GGUF', [0, 0, 0, 3])],
    ['a lying tensor count', 'GGUF_TRUNCATED', () => changed('GGUF', u64(2n ** 40n), 4)],
    ['a count beyond numbers', 'GGUF_HEADER', () => changed('GGUF', u64(2n ** 63n), 12)],
    ['a lying array length', 'GGUF_TRUNCATED', () => changed('tokens', u64(2n ** 33n), 8)],
    ['a lying text length', 'GGUF_TRUNCATED', () => changed('tokens', u64(2n ** 50n), 16)],
    ['an array of arrays', 'GGUF_HEADER', () => changed('tokens', [9], 4)],
    ['an unknown kind of value', 'GGUF_HEADER', () => changed('tokens', [77])],
    ['a text that is no UTF-8', 'GGUF_TEXT', () => changed('tokens', [0xff], 24)],
    ['too many extents', 'GGUF_SHAPE', () => changed('first', [9])],
    ['no extents', 'GGUF_SHAPE', () => changed('first', [0])],
    [
      'extents beyond numbers',
      'GGUF_SHAPE',
      () => changed('first', [...u64(2n ** 40n), ...u64(2n ** 40n)], 4),
    ],
    ['extents beyond the file', 'GGUF_TRUNCATED', () => changed('second', u64(2n ** 40n), 4)],
    ['a quantisation that is not read', 'GGUF_TYPE', () => changed('second', [23], 12)],
    ['an unknown quantisation', 'GGUF_TYPE', () => changed('second', [200], 12)],
    ['rows that end within a block', 'GGUF_SHAPE', () => changed('second', [8], 12)],
    ['tensors that overlap', 'GGUF_OVERLAP', () => changed('second', u64(0n), 16)],
    ['tensors out of line', 'GGUF_OVERLAP', () => changed('second', u64(33n), 16)],
    ['a tensor beyond the end', 'GGUF_TRUNCATED', () => changed('second', u64(2n ** 45n), 16)],
    [
      'two tensors of one name',
      'GGUF_HEADER',
      () =>
        Buffer.from(
          Buffer.from(small())
            .toString('latin1')
            .replace('second', 'first0')
            .replace('\x05\0\0\0\0\0\0\0first', '\x06\0\0\0\0\0\0\0first0'),
          'latin1',
        ),
    ],
    ['one part of several', 'GGUF_SPLIT', () => ggufBytes({ 'split.count': 2 })],
    ['an alignment that is none', 'GGUF_METADATA', () => ggufBytes({ 'general.alignment': 24 })],
  ])('refuses %s (%s)', (_, code, bytes) => refused(bytes(), code));

  it('names types that it does not read', async () => {
    await expect(readAll(changed('second', [23], 12))).rejects.toThrow(/IQ4_XS/);
  });

  it('refuses a directory, a missing file, and one that shrank after it was opened', async () => {
    await expect(openGguf(join(place, 'none.gguf'))).rejects.toMatchObject({ code: 'GGUF_MISSING' });
    await expect(openGguf(place)).rejects.toMatchObject({ code: 'GGUF_MISSING' });
    const path = join(place, 'shrinks.gguf');
    await writeFile(path, small());
    const gguf = await openGguf(path);
    await truncate(path, 50);
    await expect(gguf.read(gguf.tensors.get('second')!)).rejects.toMatchObject({ code: 'BYTES_CUT' });
    await gguf.close();
  });
});

function small0(): TensorBytes {
  return f32([1], Float32Array.of(1));
}
