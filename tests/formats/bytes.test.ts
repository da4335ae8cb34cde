/** @file Laws of byte sources: any range is the file's, and what lies behind its end is refused before memory is taken. */
import fc from 'fast-check';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { openFileBytes } from '../../formats/index.js';

async function fileOf(bytes: Uint8Array): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'latstream-bytes-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  await writeFile(join(folder, 'x.bin'), bytes);
  return join(folder, 'x.bin');
}

describe('openFileBytes', () => {
  it('reads any range of a file, many at a time', async () => {
    const content = Uint8Array.from({ length: 257 }, (_, at) => at);
    const source = await openFileBytes(await fileOf(content));
    expect(source.size).toBe(257);
    const range = fc
      .tuple(fc.nat(257), fc.nat(257))
      .map(([a, b]) => [Math.min(a, b), Math.max(a, b)] as const);
    await fc.assert(
      fc.asyncProperty(fc.array(range, { maxLength: 8 }), async (ranges) => {
        const read = await Promise.all(ranges.map(([from, to]) => source.read(from, to - from)));
        expect(read).toEqual(ranges.map(([from, to]) => content.subarray(from, to)));
      }),
    );
    await source.close();
  });

  it('refuses a range behind the end, however long, and names a folder and a missing file', async () => {
    const path = await fileOf(new Uint8Array(10));
    const source = await openFileBytes(path);
    for (const [start, length] of [
      [0, 11],
      [10, 1],
      [5, 2 ** 52],
    ] as const)
      await expect(source.read(start, length)).rejects.toMatchObject({ code: 'BYTES_CUT' });
    await source.close();
    await expect(openFileBytes(join(path, '..'))).rejects.toMatchObject({ code: 'EISDIR' });
    await expect(openFileBytes(`${path}.not`)).rejects.toMatchObject({ code: 'ENOENT' });
  });
});
