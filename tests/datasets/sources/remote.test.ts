/** @file Datasets elsewhere give the same rows as files here, in few requests, and never those of two contents. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { tableFromArrays, tableToIPC } from 'apache-arrow';
import { describe, expect, it } from 'vitest';
import {
  createChatTemplate,
  openSource,
  rowsFrom,
  trainingBatches,
  writeTable,
  type Row,
} from '../../../datasets/index.js';
import { HubServer } from '../../helpers/hub-server.js';
import { byteTokenizer, take, temporaryFolder } from '../helpers.js';

const ROWS = Array.from({ length: 3000 }, (_, at) => ({
  prompt: `prompt ${at}`,
  completion: `answer ${at} ${'and on '.repeat(at % 7)}`,
  unread: `${at * 7919}`.repeat(40),
}));

async function parquet(rows = ROWS): Promise<Uint8Array> {
  const path = join(await temporaryFolder(), 'x.parquet');
  await writeTable(path, rows, { rowGroupRows: 1000 });
  return readFile(path);
}

const jsonl = (): Uint8Array => Buffer.from(ROWS.map((row) => `${JSON.stringify(row)}\n`).join(''));

const arrow = (): Uint8Array =>
  tableToIPC(
    tableFromArrays({
      prompt: ROWS.map(({ prompt }) => prompt),
      completion: ROWS.map(({ completion }) => completion),
    }),
    'file',
  );

async function rowsOf(place: string): Promise<readonly Row[]> {
  const source = await openSource(place);
  try {
    return (await take(rowsFrom(source, ['prompt', 'completion']), Infinity)).map(({ row }) => row);
  } finally {
    await source.close();
  }
}

const WANTED = ROWS.map(({ prompt, completion }) => ({ prompt, completion }));

describe('openSource of an address', () => {
  it.each([
    ['x.parquet', parquet],
    ['x.jsonl', jsonl],
    ['x.arrow', arrow],
  ] as const)(
    'reads %s as from a file, through broken connections and from a server without ranges',
    async (name, make) => {
      const hub = await HubServer.start();
      hub.plain.set(`/${name}`, { content: await make() });
      const address = `${hub.origin('cdn')}/${name}`;
      hub.faults.push({ on: /./, cut: 100_000, times: 1 });
      expect(await rowsOf(address)).toEqual(WANTED);
      hub.ranges = false;
      expect(await rowsOf(address)).toEqual(WANTED);
    },
  );

  it('reads the columns of a row group in few requests, and no more than these', async () => {
    const hub = await HubServer.start();
    const wide = ROWS.map((row, at) => ({ ...row, unread: noise(at) }));
    const content = await parquet(wide);
    hub.plain.set('/x.parquet', { content });
    const source = await openSource(`${hub.origin('cdn')}/x.parquet`);
    expect(hub.asked.length).toBeLessThanOrEqual(4);
    const before = hub.bytesAsked('x.parquet').length;
    const rows = await source.read(1, ['prompt', 'completion']);
    await source.close();
    expect(rows).toEqual(WANTED.slice(1000, 2000));
    const asked = hub.bytesAsked('x.parquet').slice(before);
    expect(asked.length).toBeLessThanOrEqual(2);
    expect(asked.reduce((sum, bytes) => sum + bytes, 0)).toBeLessThan(content.length / 3);
  });

  it('says that a file changed under a reader, and that a server is gone', async () => {
    const hub = await HubServer.start();
    const content = await parquet(ROWS.map((row, at) => ({ ...row, unread: noise(at) })));
    hub.plain.set('/x.parquet', { content });
    const source = await openSource(`${hub.origin('cdn')}/x.parquet`);
    hub.plain.set('/x.parquet', { content, etag: '"another"' });
    await expect(source.read(1, ['unread'])).rejects.toMatchObject({ code: 'REMOTE_CHANGED' });
    await source.close();
    hub.faults.push({ on: /./, status: 404 });
    await expect(openSource(`${hub.origin('cdn')}/x.jsonl`)).rejects.toMatchObject({
      code: 'REMOTE_MISSING',
    });
    await expect(openSource(`${hub.origin('cdn')}/x.parquet`)).rejects.toMatchObject({
      code: 'REMOTE_MISSING',
    });
  });

  it('does not go on from a cursor on other content of the same size', async () => {
    const hub = await HubServer.start();
    const content = jsonl();
    hub.plain.set('/x.jsonl', { content, etag: '"one"' });
    const path = `${hub.origin('cdn')}/x.jsonl`;
    const template = createChatTemplate(
      '{% for m in messages %}{{ m.content }}{% endfor %}',
      byteTokenizer(),
    );
    const columns = { prompt: 'prompt', completion: 'completion' };
    const config = { pairs: { path, columns }, batchSize: 2, context: 4096 };
    const first = trainingBatches(config, template, { seed: 1 });
    const { value } = await first.next();
    await first.return?.();
    const from = value!.cursor;
    const again = async (): Promise<number> => {
      const batches = trainingBatches(config, template, { seed: 1, from });
      try {
        return (await batches.next()).value!.index;
      } finally {
        await batches.return?.();
      }
    };
    expect(await again()).toBe(1);
    hub.plain.set('/x.jsonl', { content, etag: '"two"' });
    await expect(again()).rejects.toMatchObject({ code: 'CURSOR_MISMATCH' });
  });
});

/** Text that does not compress. */
function noise(seed: number): string {
  let state = seed + 1;
  return Array.from({ length: 60 }, () => (state = (state * 48271) % 2147483647).toString(36)).join('');
}
