/**
 * @file Who may talk to the monitor from a browser. A page of another site must neither read the metrics nor send
 * commands: requests are held to known Host names (against DNS rebinding), and an Origin must be the page's own.
 */
import { hostname } from 'node:os';
import { isIP } from 'node:net';
import type { IncomingMessage } from 'node:http';

const LOOPBACK_NAMES = ['localhost', '127.0.0.1', '[::1]'];

/** Whether only this machine can reach an address. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || host.startsWith('127.');
}

/**
 * A check of Host and Origin headers.
 * @param bound the address that the server listens on; a wildcard also accepts IP literals and the machine's name.
 * @param extra further host names, e.g. of a reverse proxy.
 * @returns what is wrong with a request, or undefined if it may pass.
 */
export function accessCheck(
  bound: string,
  extra: readonly string[] = [],
): (request: IncomingMessage) => string | undefined {
  const names = new Set([...LOOPBACK_NAMES, bracketed(bound), ...extra].map((name) => name.toLowerCase()));
  const everywhere = bound === '0.0.0.0' || bound === '::';
  if (everywhere) names.add(hostname().toLowerCase());
  return (request) => {
    const host = urlOf(`http://${request.headers.host ?? ''}`);
    if (host === undefined) return 'Host header missing or malformed';
    const literal = isIP(host.hostname.replace(/^\[|\]$/g, '')) > 0;
    if (!names.has(host.hostname) && !(everywhere && literal)) return `Host ${host.hostname} is not allowed`;
    const { origin } = request.headers;
    if (origin !== undefined && urlOf(origin)?.host !== host.host) return `Origin ${origin} is not allowed`;
    return undefined;
  };
}

/** An address as it stands in a URL. */
export function bracketed(host: string): string {
  return isIP(host) === 6 ? `[${host}]` : host;
}

function urlOf(text: string): URL | undefined {
  return URL.canParse(text) && !text.includes('@') ? new URL(text) : undefined;
}
