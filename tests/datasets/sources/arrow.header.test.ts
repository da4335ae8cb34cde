/** @file Headers of Arrow messages that lie: refused, or no more in them than their bytes can hold. */
import { Int32, List, Field, Message, Schema, Table, Utf8, tableToIPC, vectorFromArray } from 'apache-arrow';
import { Footer } from 'apache-arrow/ipc/metadata/file';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { checkFooter, checkMessageHeader } from '../../../datasets/sources/arrow.header.js';

const table = new Table({
  text: vectorFromArray(['one', null, 'three'], new Utf8()),
  list: vectorFromArray([[1], [], [2, 3]], new List(new Field('item', new Int32(), true))),
});

/** The headers of the messages of a stream. */
function headers(): Uint8Array[] {
  const bytes = tableToIPC(table, 'stream');
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const found: Uint8Array[] = [];
  for (let at = 0; at + 8 <= bytes.length;) {
    const length = view.getInt32(at + 4, true);
    if (length === 0) break;
    const header = bytes.slice(at + 8, at + 8 + length);
    found.push(header);
    at += 8 + length + Message.decode(header).bodyLength;
  }
  return found;
}

function footer(): Uint8Array {
  const bytes = tableToIPC(table, 'file');
  const length = new DataView(bytes.buffer, bytes.byteOffset).getInt32(bytes.length - 10, true);
  return bytes.slice(bytes.length - 10 - length, bytes.length - 10);
}

const fieldsIn = (fields: readonly Field[]): number =>
  fields.reduce(
    (sum, field) => sum + 1 + fieldsIn((field.type as { children?: Field[] | null }).children ?? []),
    0,
  );

/** How much a decoded header holds, in things of at least four bytes. */
function held(bytes: Uint8Array): number {
  const message = Message.decode(bytes);
  const header: unknown = message.header();
  if (header instanceof Schema) return fieldsIn(header.fields);
  const { nodes, buffers } = header as { nodes: readonly object[]; buffers: readonly object[] };
  return 4 * (nodes.length + buffers.length);
}

// Few enough that what is not noticed shows as too much, and does not end the process.
const lie = fc.record({ word: fc.nat(), value: fc.integer({ min: -200, max: 3000 }) });
const lying = (bytes: Uint8Array, { word, value }: { word: number; value: number }): Uint8Array => {
  const copy = bytes.slice();
  new DataView(copy.buffer).setInt32(4 * (word % Math.floor(copy.length / 4)), value, true);
  return copy;
};

/** What happens to damaged bytes behind the check: true where they are refused, or hold what they can. */
function bounded(bytes: Uint8Array, check: (bytes: Uint8Array) => void, count: () => number): boolean {
  try {
    check(bytes);
  } catch {
    return true;
  }
  try {
    return count() <= 16 * bytes.length;
  } catch {
    return true; // The library found something that is no matter of size.
  }
}

describe('the check of headers', () => {
  it('lets the headers of valid files pass', () => {
    expect(headers()).toHaveLength(2);
    for (const header of headers()) checkMessageHeader(header);
    checkFooter(footer());
  });

  it('a header with any word replaced is refused, or holds no more than its bytes can', () => {
    fc.assert(
      fc.property(fc.constantFrom(...headers()), lie, (header, each) => {
        const bytes = lying(header, each);
        expect(bounded(bytes, checkMessageHeader, () => held(bytes))).toBe(true);
      }),
      { numRuns: 2000 },
    );
  });

  it('a vector whose length is beyond the header is refused, in every message and in a footer', () => {
    for (const [bytes, check] of [
      ...headers().map((each) => [each, checkMessageHeader] as const),
      [footer(), checkFooter] as const,
    ]) {
      const places = Array.from({ length: Math.floor(bytes.length / 4) }, (_, word) => word);
      const refused = places.filter((word) => {
        try {
          check(lying(bytes, { word, value: 2 ** 30 }));
          return false;
        } catch (error) {
          return (error as Error).message.startsWith('a header that');
        }
      });
      expect(refused.length).toBeGreaterThan(places.length / 8);
    }
    expect(Footer.decode(footer()).numRecordBatches).toBe(1);
  });
});
