/** @file The files of pages, read once: the viewer's own and uPlot's. Nothing comes from another host. */
import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { extname } from 'node:path';
import { complain } from '../foundation/index.js';

export interface Asset {
  readonly type: string;
  readonly body: Buffer;
}

/** What a page may load and run: its own files alone, and nothing in its markup. */
export const PAGE_POLICY = [
  "default-src 'none'",
  ...["script-src 'self'", "style-src 'self'", "img-src 'self'", "connect-src 'self'"],
  ...["base-uri 'none'", "form-action 'none'", "frame-ancestors 'none'"],
].join('; ');

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
};

/**
 * Path → file of the live page. Only what is in this map is ever served, so no path can lead elsewhere.
 * @throws MONITOR_VIEWER_MISSING when the package was installed without the page.
 */
export async function viewerAssets(): Promise<ReadonlyMap<string, Asset>> {
  const assets = new Map(await pageFiles('monitor', import.meta.url));
  const require = createRequire(import.meta.url);
  assets.set('/uplot.js', await assetOf(require.resolve('uplot/dist/uPlot.esm.js')));
  assets.set('/uplot.css', await assetOf(require.resolve('uplot/dist/uPlot.min.css')));
  const page = assets.get('/index.html');
  if (page !== undefined) assets.set('/', page);
  return assets;
}

/**
 * The files of the folder `viewer` of one of ours, by `/NAME`. In a page, `<!-- NAME -->` stands for that file of the live page:
 * what pages have in common is written once.
 * @param owner the folder that has it. @param from a module in that folder
 * @throws MONITOR_VIEWER_MISSING, DAEMON_VIEWER_MISSING
 */
export async function pageFiles(
  owner: 'monitor' | 'daemon',
  from: string,
): Promise<ReadonlyMap<string, Asset>> {
  const [folder, common] = [viewerFolder(owner, from), viewerFolder('monitor', import.meta.url)];
  const names = await readdir(folder);
  const files = new Map(
    await Promise.all(names.map(async (name) => [`/${name}`, await assetOf(new URL(name, folder))] as const)),
  );
  const index = files.get('/index.html');
  if (index) files.set('/index.html', { ...index, body: await completed(index.body, common) });
  return files;
}

function viewerFolder(owner: 'monitor' | 'daemon', from: string): URL {
  // Beside the module in the sources; two folders up from the compiled one.
  const folder = ['./viewer/', `../../${owner}/viewer/`]
    .map((path) => new URL(path, from))
    .find((url) => existsSync(new URL('index.html', url)));
  return (
    folder ??
    complain({
      code: `${owner.toUpperCase()}_VIEWER_MISSING`,
      owner,
      expected: `${owner}/viewer/index.html in the package`,
      got: 'no such file',
      hint: 'install latstream again',
    })
  );
}

async function completed(page: Buffer, common: URL): Promise<Buffer> {
  const [before = '', ...rest] = page.toString('utf8').split('<!-- ');
  const pieces = rest.map(async (piece) => {
    const end = piece.indexOf(' -->');
    const part = await readFile(new URL(piece.slice(0, end), common), 'utf8');
    return part + piece.slice(end + ' -->'.length);
  });
  return Buffer.from(before + (await Promise.all(pieces)).join(''));
}

async function assetOf(file: URL | string): Promise<Asset> {
  const type = TYPES[extname(String(file))] ?? 'application/octet-stream';
  return { type, body: await readFile(file) };
}
