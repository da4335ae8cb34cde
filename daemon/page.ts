/** @file The daemon's page: its files, and those that it shares with the live page of a run, as routes without a token. */
import { pageFiles, viewerAssets, type Asset } from '../monitor/index.js';
import type { Route } from './routes.js';

/** Files keep their places of the source tree, so that the page's modules find each other in both. */
const PLACES = { own: '/daemon/viewer', shared: '/monitor/viewer' } as const;

/** @throws DAEMON_VIEWER_MISSING, MONITOR_VIEWER_MISSING */
export async function pageRoutes(): Promise<readonly Route[]> {
  const own = await pageFiles('daemon', import.meta.url);
  const index = own.get('/index.html');
  return [
    ...(index ? [routeTo('/', index)] : []),
    ...[...own].map(([name, asset]) => routeTo(`${PLACES.own}${name}`, asset)),
    ...[...(await viewerAssets())].map(([name, asset]) => routeTo(`${PLACES.shared}${name}`, asset)),
  ];
}

function routeTo(path: string, { body, type }: Asset): Route {
  const text = body.toString('utf8');
  return {
    method: 'GET',
    path: new RegExp(`^${path.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')}$`),
    open: true,
    answer: () => ({ status: 200, body: text, type }),
  };
}
