/** @file Everything that decides how other machines are asked: where, with which token, how long, how often, how much. */
import { getHFHubCachePath } from '@huggingface/hub';
import { readFileSync } from 'node:fs';
import { statfs } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

const MIB = 2 ** 20;

/** The one place of all limits and waits; tests put theirs over it. */
export interface Remote {
  /** Of the hub, without a slash at its end. */
  readonly endpoint: string;
  /** Sent to the endpoint's origin, and to no other. */
  readonly token: string | undefined;
  /** No request at all. */
  readonly offline: boolean;
  /** The folder in which Hugging Face's tools keep what they download. */
  readonly cache: string;
  /** Milliseconds that may pass without an answer, and without a further byte of it. */
  readonly patience: number;
  /** Tries in a row without progress, the first one included. */
  readonly tries: number;
  /** Milliseconds before the second try, doubled before each further one; `most` bounds what a server asks for, too. */
  readonly backoff: { readonly first: number; readonly most: number };
  readonly redirects: number;
  /** Bytes, entries and pages (retries included) of what the hub says about a repository. */
  readonly listing: { readonly bytes: number; readonly entries: number; readonly pages: number };
  /** Sizes in bytes, of reading by range: of a block, kept of all files together, asked for at once, read ahead. */
  readonly blocks: {
    readonly size: number;
    readonly kept: number;
    readonly request: number;
    readonly ahead: number;
  };
  /** Requests at a time, per file. */
  readonly concurrency: number;
  /** Largest file in bytes that is copied to a temporary file because its server cannot send ranges. */
  readonly spool: number;
  /** Bytes that can still be written where a folder is, or will be. */
  readonly free: (folder: string) => Promise<number>;
  readonly sleep: (milliseconds: number, signal?: AbortSignal) => Promise<unknown>;
}

/** The settings of the environment (`HF_ENDPOINT`, `HF_TOKEN`, `HF_HUB_OFFLINE`, …, as `huggingface_hub` reads them). */
export function remoteSettings(over: Partial<Remote> = {}): Remote {
  const { env } = process;
  const seconds = Number(env['HF_HUB_DOWNLOAD_TIMEOUT']);
  return {
    endpoint: (env['HF_ENDPOINT'] || 'https://huggingface.co').replace(/\/+$/, ''),
    token: tokenOf(env),
    offline: isSet(env['HF_HUB_OFFLINE']) || isSet(env['TRANSFORMERS_OFFLINE']),
    cache: expanded(getHFHubCachePath()),
    patience: seconds > 0 ? seconds * 1000 : 30_000,
    tries: 5,
    backoff: { first: 500, most: 60_000 },
    redirects: 5,
    listing: { bytes: 16 * MIB, entries: 20_000, pages: 200 },
    blocks: { size: MIB / 4, kept: 64 * MIB, request: 16 * MIB, ahead: 8 * MIB },
    concurrency: 4,
    spool: 2048 * MIB,
    free: freeBytes,
    sleep: (milliseconds, signal) => sleep(milliseconds, undefined, signal && { signal }),
    ...over,
  };
}

async function freeBytes(folder: string): Promise<number> {
  try {
    const { bavail, bsize } = await statfs(folder);
    return bavail * bsize;
  } catch (error) {
    const above = dirname(folder);
    if ((error as NodeJS.ErrnoException).code === 'ENOENT' && above !== folder) return freeBytes(above);
    return Infinity; // unknown: writing will tell
  }
}

function tokenOf(env: NodeJS.ProcessEnv): string | undefined {
  const given = env['HF_TOKEN'] ?? env['HUGGING_FACE_HUB_TOKEN'];
  if (given !== undefined) return given.trim() || undefined;
  if (isSet(env['HF_HUB_DISABLE_IMPLICIT_TOKEN'])) return undefined;
  const home = env['HF_HOME'] ?? join(env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'huggingface');
  try {
    return readFileSync(expanded(env['HF_TOKEN_PATH'] ?? join(home, 'token')), 'utf8').trim() || undefined;
  } catch {
    return undefined; // nobody has logged in here
  }
}

function isSet(value: string | undefined): boolean {
  return /^(1|on|yes|true)$/i.test(value ?? '');
}

function expanded(path: string): string {
  return path.replace(/^~(?=$|[/\\])/, homedir());
}
