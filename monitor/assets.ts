/** @file The files of the live page, read once: the viewer's own and uPlot's. Nothing comes from another host. */
import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { extname } from 'node:path';
import { complain } from '../foundation/index.js';

export interface Asset {
  readonly type: string;
  readonly body: Buffer;
}

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
};

/**
 * Path → file. Only what is in this map is ever served, so no path can lead elsewhere.
 * @throws MONITOR_VIEWER_MISSING when the package was installed without the page.
 */
export async function viewerAssets(): Promise<ReadonlyMap<string, Asset>> {
  // Beside this file in the sources; two folders up from the compiled one.
  const folder = ['./viewer/', '../../monitor/viewer/']
    .map((path) => new URL(path, import.meta.url))
    .find((url) => existsSync(new URL('index.html', url)));
  if (folder === undefined) {
    return complain({
      code: 'MONITOR_VIEWER_MISSING',
      owner: 'monitor',
      expected: 'monitor/viewer/index.html in the package',
      got: 'no such file',
      hint: 'install latstream again',
    });
  }
  const assets = new Map<string, Asset>();
  const add = async (path: string, file: URL | string): Promise<void> => {
    assets.set(path, {
      type: TYPES[extname(path)] ?? 'application/octet-stream',
      body: await readFile(file),
    });
  };
  const require = createRequire(import.meta.url);
  await add('/uplot.js', require.resolve('uplot/dist/uPlot.esm.js'));
  await add('/uplot.css', require.resolve('uplot/dist/uPlot.min.css'));
  for (const name of await readdir(folder)) await add(`/${name}`, new URL(name, folder));
  const page = assets.get('/index.html');
  if (page !== undefined) assets.set('/', page);
  return assets;
}
