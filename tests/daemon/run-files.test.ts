/** @file The files of a run over the control API: what is in its directory, and nothing else, whatever a name or a link says. */
import { createHash } from 'node:crypto';
import { mkdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { request } from 'node:http';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Client } from '../../daemon/client.js';
import { fileIn, filesIn, isRunFile } from '../../daemon/run-files.js';
import { scratch } from '../helpers/cli.js';
import { Served } from './served.js';

const { path } = scratch();
let served: Served;
let run: string;
let directory: string;
const LARGE = Buffer.alloc(3_000_000, 'latstream');
const FILES = { 'metrics.ndjson': '', 'recipe.json': '{}', 'lat/é%2f #?.txt': 'named oddly', large: LARGE };

beforeAll(async () => {
  served = await Served.start();
  ({ id: run, directory } = served.submit('x'));
  await mkdir(join(directory, 'lat/.hidden'), { recursive: true });
  for (const [name, content] of Object.entries(FILES)) await writeFile(join(directory, name), content);
  for (const name of ['run.lock', 'half.tmp', 'lat/.hidden/x', 'metrics.ndjson.new'])
    await writeFile(join(directory, name), 'passing');
  await mkdir(path('outside'));
  await writeFile(path('outside/secret'), 'secret');
  await symlink(path('outside/secret'), join(directory, 'link'));
  await symlink(path('outside'), join(directory, 'folder'));
  await symlink(join(directory, 'recipe.json'), join(directory, 'inner'));
});
afterAll(() => served.close());

const read = async (content: AsyncIterable<Uint8Array>): Promise<Buffer> => {
  const chunks: Uint8Array[] = [];
  for await (const chunk of content) chunks.push(chunk);
  return Buffer.concat(chunks);
};

/** As no client of ours would ask. */
function raw(asked: string): Promise<[number | undefined, string]> {
  return new Promise((resolve, reject) => {
    const headers = { authorization: `Bearer ${served.token}` };
    const sent = request({ ...portOf(served.url), path: asked, headers }, (reply) => {
      void read(reply).then((body) => resolve([reply.statusCode, body.toString()]), reject);
    });
    sent.on('error', reject).end();
  });
}

const portOf = (url: string) => ({ host: '127.0.0.1', port: new URL(url).port });

describe('the files of a run', () => {
  it('are listed with sizes and digests, and come as they are', async () => {
    const client = new Client(served.url, served.token);
    const { files } = await client.files(run);
    const wanted = Object.entries(FILES).map(([name, content]) => ({
      ...{ path: name, bytes: Buffer.byteLength(content) },
      sha256: createHash('sha256').update(content).digest('hex'),
    }));
    expect(files).toEqual(wanted.sort((a, b) => (a.path < b.path ? -1 : 1)));
    for (const [name, content] of Object.entries(FILES)) {
      const got = await read(await client.file(run, name, AbortSignal.timeout(10_000)));
      expect(got.equals(Buffer.from(content)), name).toBe(true);
    }
  });

  it('are not for those who only look', async () => {
    const viewer = new Client(served.url, served.viewToken);
    await expect(viewer.files(run)).rejects.toMatchObject({ code: 'DAEMON_ROLE' });
    const signal = AbortSignal.timeout(10_000);
    await expect(viewer.file(run, 'recipe.json', signal)).rejects.toMatchObject({ code: 'DAEMON_ROLE' });
  });

  it('are none of a run that has not begun, and unknown of none', async () => {
    expect(await filesIn(path('nowhere'))).toEqual({ files: [] });
    const client = new Client(served.url, served.token);
    await expect(client.files('nobody')).rejects.toMatchObject({ code: 'DAEMON_RUN_UNKNOWN' });
  });

  it.each([
    ...['link', 'folder/secret', 'inner', 'run.lock', 'half.tmp', 'lat/.hidden/x', 'lat', 'nowhere'],
    ...['..%2foutside%2fsecret', '../outside/secret', '%2e%2e/x', 'lat/../recipe.json', '/etc/passwd'],
    ...['%2fetc%2fpasswd', 'lat%5c..%5crecipe.json', 'recipe.json%00', '%', 'lat//x', './recipe.json'],
  ])('do not have %s', async (name) => {
    const [status, body] = await raw(`/runs/${run}/files/${name}`);
    expect([status, body]).toEqual([404, expect.stringMatching(/DAEMON_(FILE_UNKNOWN|NO_ROUTE)/)]);
  });

  it('are those that are listed, whatever the name', async () => {
    const known = (await filesIn(directory)).files.map((file) => file.path);
    const part = fc.constantFrom('..', '.', '', 'lat', 'link', 'folder', 'secret', 'recipe.json', '\\', '\0');
    const name = fc.oneof(
      fc.string(),
      fc.array(part, { maxLength: 5 }).map((parts) => parts.join('/')),
    );
    await fc.assert(
      fc.asyncProperty(name, async (asked) => {
        const found = await fileIn(directory, asked).then(
          ({ content }) => read(content),
          (error: unknown) => {
            expect(error).toMatchObject({ code: 'DAEMON_FILE_UNKNOWN' });
            return undefined;
          },
        );
        expect(found !== undefined).toBe(known.includes(asked));
        if (found) expect(found.equals(await readFile(join(directory, asked)))).toBe(true);
        if (found) expect(isRunFile(asked)).toBe(true);
      }),
      { examples: [['folder/secret'], ['link'], ['../x'], ['recipe.json']] },
    );
  });
});
