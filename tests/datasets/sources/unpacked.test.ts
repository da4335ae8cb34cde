/** @file Compressed files give the rows of plain ones, from any row on, from one whole copy; what is no such file is named. */
import fc from 'fast-check';
import { readdir, readFile, truncate, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { gzipSync } from 'node:zlib';
import { openSource, rowsFrom, type Row } from '../../../datasets/index.js';
import { identityOf } from '../../../datasets/sources/source.js';
import { openUnpacked } from '../../../datasets/sources/unpacked.js';
import { HubServer } from '../../helpers/hub-server.js';
import { COMPRESSED, LINES, ROWS, stored } from '../../helpers/zstd.js';
import { take, temporaryFolder } from '../helpers.js';

/** A folder for files, and another one for the copies. */
async function folders(): Promise<{ folder: string; copies: string }> {
  const folder = await temporaryFolder();
  const cache = await temporaryFolder();
  vi.stubEnv('XDG_CACHE_HOME', cache);
  onTestFinished(() => void vi.unstubAllEnvs());
  return { folder, copies: join(cache, 'latstream', 'unpacked') };
}

interface Read {
  readonly rows: readonly Row[];
  readonly identity: readonly unknown[];
  readonly path: string;
}

async function read(place: string, from = 0): Promise<Read> {
  const source = await openSource(place);
  try {
    const rows = (await take(rowsFrom(source, source.columns, from), Infinity)).map(({ row }) => row);
    return { rows, identity: identityOf(source), path: source.path };
  } finally {
    await source.close();
  }
}

const failure = async (path: string, content: Uint8Array): Promise<unknown> => {
  await writeFile(path, content);
  return read(path).catch((error: unknown) => error);
};

const members = (content: Uint8Array, cut: number): Buffer =>
  Buffer.concat([gzipSync(content.subarray(0, cut)), gzipSync(content.subarray(cut))]);
const frames = (content: Uint8Array, cut: number): Buffer =>
  Buffer.concat([stored(content.subarray(0, cut)), stored(content.subarray(cut), 100)]);

const TEXTS: Readonly<Record<string, (rows: readonly { a: string; b: string }[]) => string>> = {
  'x.jsonl': (rows) => rows.map((row) => `${JSON.stringify(row)}\n`).join(''),
  'x.json': (rows) => JSON.stringify(rows, null, 1),
  'x.csv': (rows) => ['a,b', ...rows.map(({ a, b }) => `"${a}","${b}"`)].join('\n'),
  'x.tsv': (rows) => ['a\tb', ...rows.map(({ a, b }) => `"${a}"\t"${b}"`)].join('\r\n'),
  'x.txt': (rows) => rows.map(({ a }) => `line ${a}`).join('\n'),
};
const word = fc.string({ unit: fc.constantFrom('a', 'é', ' ', ',', '猫', '\n'), maxLength: 9 });

describe('a compressed file', () => {
  it('has the rows, groups and identity of the plain one, from any row on, whatever packed it', async () => {
    const { folder } = await folders();
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...Object.keys(TEXTS)),
        fc.array(fc.record({ a: word, b: word }), { minLength: 1, maxLength: 30 }),
        fc.constantFrom(['.gz', members] as const, ['.ZST', frames] as const, ['.gz', frames] as const),
        fc.nat(3000),
        async (name, rows, [ending, pack], cut) => {
          const content = Buffer.from(TEXTS[name]!(rows));
          const [plain, packed] = [join(folder, name), join(folder, `${name}${ending}`)];
          await writeFile(plain, content);
          await writeFile(packed, pack(content, cut % content.length));
          const from = cut % (rows.length + 1);
          const wanted = await read(plain, from);
          expect(await read(packed, from)).toEqual({ ...wanted, path: packed });
        },
      ),
      { numRuns: 60 },
    );
  });

  it('is read as the zstd tool wrote it, in groups, and under a name without its ending', async () => {
    const { folder } = await folders();
    for (const [at, bytes] of COMPRESSED.entries()) {
      await writeFile(join(folder, `${at}.jsonl`), bytes);
      expect((await read(join(folder, `${at}.jsonl`))).rows).toEqual(ROWS);
    }
    const many = Array.from({ length: 5000 }, (_, at) => ({ a: at, text: 'x'.repeat(at % 90) }));
    const path = join(folder, 'many');
    await writeFile(path, gzipSync(many.map((row) => `${JSON.stringify(row)}\n`).join('')));
    const source = await openSource(path);
    const last = source.groups.length - 1;
    expect(last).toBeGreaterThan(3);
    expect(await source.read(last, ['a'])).toEqual(
      many.slice(source.groups[last]!.start).map(({ a }) => ({ a })),
    );
    await source.close();
  });

  it('is found in folders and patterns beside plain ones, and not beside its own plain copy', async () => {
    const { folder } = await folders();
    const line = (a: number): string => `{"a":${a}}\n`;
    await writeFile(join(folder, 'a.jsonl'), line(0));
    await writeFile(join(folder, 'a.jsonl.gz'), gzipSync(line(7)));
    await writeFile(join(folder, 'b.JSONL.GZ'), gzipSync(line(1)));
    await writeFile(join(folder, 'c.ndjson.zst'), stored(Buffer.from(line(2))));
    await writeFile(join(folder, 'weights.bin.gz'), gzipSync('no rows'));
    expect((await read(folder)).rows).toEqual([{ a: 0 }, { a: 1 }, { a: 2 }]);
    expect((await read(`${folder}/a*`)).rows).toEqual([{ a: 0 }, { a: 7 }]);
  });
});

describe('the unpacked copy', () => {
  it('is one, whole, whatever is opened at the same time, and is used again', async () => {
    const { folder, copies } = await folders();
    const path = join(folder, 'x.jsonl.gz');
    await writeFile(path, members(Buffer.from(LINES), 1000));
    vi.resetModules(); // as another process: what one of them is about to make, the other does not know
    const other = await import('../../../datasets/sources/unpacked.js');
    const opened = await Promise.all(
      [openUnpacked, other.openUnpacked].flatMap((open) => Array.from({ length: 8 }, () => open(path))),
    );
    for (const bytes of opened) {
      expect(Buffer.from(await bytes.read(0, bytes.size)).toString()).toBe(LINES);
      await bytes.close();
    }
    const names = await readdir(copies);
    expect(names).toHaveLength(1);
    await writeFile(join(copies, names[0]!), LINES.replace('fold', 'sing'));
    expect((await read(path)).rows[0]).toEqual({ ...ROWS[0]!, prompt: 'How do you sing?' });
  });

  it('is made again where it is cut off, gone, or of what the file was before; old ones go', async () => {
    const { folder, copies } = await folders();
    const path = join(folder, 'x.jsonl.gz');
    const first = (await failure(path, gzipSync(LINES))) as Read;
    expect(first.rows).toEqual(ROWS);
    const copy = join(copies, (await readdir(copies))[0]!);
    await truncate(copy, 100);
    await writeFile(`${copy}-0.tmp`, 'what was killed');
    expect(await read(path)).toEqual(first);
    expect((await readFile(copy)).toString()).toBe(LINES);
    const long = new Date(Date.now() - 40 * 86_400_000);
    for (const old of [copy, `${copy}-0.tmp`]) await utimes(old, long, long);
    const changed = LINES.replace('fold', 'sing');
    expect(await failure(path, gzipSync(changed))).toMatchObject({
      rows: { 0: { prompt: 'How do you sing?' } },
    });
    expect(await readdir(copies)).toHaveLength(1);
    expect(join(copies, (await readdir(copies))[0]!)).not.toBe(copy);
  });

  it('is of one content: another one of the same size, at the same time, is another', async () => {
    const { folder } = await folders();
    const path = join(folder, 'x.jsonl.zst');
    const at = new Date(1_700_000_000_000);
    for (const a of [1, 2]) {
      await writeFile(path, stored(Buffer.from(`{"a":${a}}`)));
      await utimes(path, at, at);
      expect((await read(path)).rows).toEqual([{ a }]);
    }
  });
});

describe('what cannot be unpacked', () => {
  it('is an error that names the file, and leaves nothing behind', async () => {
    const { folder, copies } = await folders();
    const path = join(folder, 'x.jsonl.gz');
    const damaged = { code: 'DATASET_COMPRESSED', message: expect.stringContaining(path) as string };
    const whole = gzipSync(LINES);
    for (const length of [2, 15, whole.length - 9, whole.length - 1])
      expect(await failure(path, whole.subarray(0, length))).toMatchObject(damaged);
    for (const bytes of [whole.with(whole.length - 6, 1), COMPRESSED[0]!.with(COMPRESSED[0]!.length - 1, 1)])
      expect(await failure(path, bytes)).toMatchObject(damaged);
    expect(await readdir(copies)).toEqual([]);
  });

  it('is another compression, an archive, Parquet in gzip, or packed twice: each says what to do', async () => {
    const { folder } = await folders();
    const path = join(folder, 'x.jsonl');
    const tar = Buffer.concat([Buffer.alloc(257, 'x'), Buffer.from('ustar\0'), Buffer.alloc(300)]);
    for (const [bytes, what] of [
      [Buffer.from('fd377a585a000004', 'hex'), /xz -d/],
      [Buffer.from('BZh91AY&SY...'), /bzip2 -d/],
      [Buffer.from('04224d1864', 'hex'), /lz4 -d/],
      [Buffer.from('PK\x03\x04..'), /zip; unpack it and name the files/],
      [tar, /tar -xf/],
      [gzipSync(tar), /tar -xf/],
      [gzipSync('PAR1....'), /got Parquet/],
      [gzipSync(gzipSync(LINES)), /compressed twice/],
    ] as const)
      expect(await failure(path, bytes)).toMatchObject({
        code: 'DATASET_COMPRESSED',
        message: expect.stringMatching(what) as string,
      });
    expect(await failure(path, Buffer.from('{"a":"BZh91"}'))).toMatchObject({ rows: [{ a: 'BZh91' }] });
  });

  it('is too large for its size, or for the disk', async () => {
    const { folder, copies } = await folders();
    const path = join(folder, 'x.jsonl.gz');
    await writeFile(path, gzipSync(Buffer.alloc(40 * 2 ** 20, '\n')));
    const open = (limits: Parameters<typeof openUnpacked>[1]): Promise<unknown> => openUnpacked(path, limits);
    const bomb = { code: 'DATASET_UNPACKED' };
    await expect(open({ bytes: 2 ** 20 })).rejects.toMatchObject(bomb);
    await expect(open({ bytes: 40 * 2 ** 20 - 1, ratio: 1 })).rejects.toMatchObject(bomb);
    const full = { free: () => Promise.resolve(99), reserve: 100 };
    await expect(open(full)).rejects.toMatchObject({ code: 'DATASET_SPACE' });
    expect(await readdir(copies)).toEqual([]);
    vi.stubEnv('XDG_CACHE_HOME', path); // where no folder can be
    await expect(open({})).rejects.toMatchObject({ code: 'DATASET_SPACE' });
  });
});

describe('a compressed file elsewhere', () => {
  it('is read like one here, through breaks and without ranges, and again when it changed', async () => {
    await folders();
    const hub = await HubServer.start();
    const address = `${hub.origin('cdn')}/x.jsonl.gz?download=true`;
    const put = (text: string, etag: string): unknown =>
      hub.plain.set('/x.jsonl.gz?download=true', { content: gzipSync(text), etag });
    put(LINES, '"one"');
    hub.faults.push({ on: /./, cut: 50, times: 1 });
    const first = await read(address);
    expect(first).toMatchObject({
      rows: ROWS,
      path: address,
      identity: [[LINES.length, 'one'], [ROWS.length]],
    });
    hub.ranges = false;
    expect(await read(address)).toEqual(first);
    put(LINES.replace('fold', 'sing'), '"two"');
    expect((await read(address)).rows[0]).toEqual({ ...ROWS[0]!, prompt: 'How do you sing?' });
  });

  it('is data of the hub: the training split of what is no plain copy', async () => {
    const { folder } = await folders();
    const hub = await HubServer.start();
    vi.stubEnv('HF_ENDPOINT', hub.origin());
    vi.stubEnv('HF_HUB_CACHE', folder);
    hub.repository('datasets/org/set', {
      'README.md': '',
      'harmless/test.jsonl.gz': gzipSync('{"a":3}'),
      'harmless/train.jsonl.gz': gzipSync('{"a":1}'),
      'helpful/train.jsonl': '{"a":2}',
      'helpful/train.jsonl.zst': stored(Buffer.from('{"a":2}')),
    });
    expect((await read('hf://datasets/org/set')).rows).toEqual([{ a: 1 }, { a: 2 }]);
    expect((await read('hf://datasets/org/set/*/te*.gz')).rows).toEqual([{ a: 3 }]);
  });
});
