/** @file What the daemon may be told in a file, and told anew while it runs. */
import { readText } from '../formats/index.js';
import { complain } from '../foundation/index.js';
import { parse } from 'yaml';
import { z } from 'zod';
import { webhooks } from './webhooks.js';

const schema = z.strictObject({
  /** Runs at a time; 0: takes none, and serves. */
  parallel: z.int().min(0).max(1024).exactOptional(),
  /** Deaths of a run's process without a new checkpoint between them, after which the run has failed. */
  attempts: z.int().min(1).max(1000).exactOptional(),
  /** The wait after the first of them; it doubles with each further one, up to {@link LONGEST_WAIT_SECONDS}. */
  retrySeconds: z.number().min(0).max(3600).exactOptional(),
  /** How long runs may take to save when the daemon is told to exit; then they are killed. */
  graceSeconds: z.number().min(0).max(86_400).exactOptional(),
  /** Of the control API, from one address; five times as many at once. */
  requestsPerSecond: z.number().min(1).max(1e6).exactOptional(),
  /** Who is told what happens to runs. */
  webhooks: webhooks.exactOptional(),
  /** How long a run of a shared queue belongs to a worker that is not heard of. */
  lockSeconds: z.number().min(1).max(3600).exactOptional(),
});

export type DaemonConfig = Required<z.infer<typeof schema>>;

export const DEFAULTS: DaemonConfig = {
  parallel: 1,
  attempts: 5,
  retrySeconds: 5,
  graceSeconds: 60,
  requestsPerSecond: 200,
  webhooks: [],
  lockSeconds: 30,
};

export const LONGEST_WAIT_SECONDS = 3600;

const LONGEST_CONFIG = 2 ** 16;

/**
 * The settings of a file over given ones.
 * @returns undefined where there is no file. @throws DAEMON_CONFIG
 */
export async function readConfig(path: string, over: DaemonConfig): Promise<DaemonConfig | undefined> {
  const refuse = (got: string): never =>
    complain({
      code: 'DAEMON_CONFIG',
      owner: `daemon configuration ${path}`,
      expected: `YAML with ${Object.keys(schema.shape).join(', ')}`,
      got,
      hint: 'correct the file; a running daemon keeps what it had',
    });
  let text: string;
  try {
    text = await readText(path, LONGEST_CONFIG);
  } catch (error) {
    if ((error as { code?: unknown }).code === 'ENOENT') return undefined;
    return refuse(error instanceof Error ? error.message : String(error));
  }
  let content: unknown;
  try {
    content = parse(text, { logLevel: 'error' }) ?? {};
  } catch (error) {
    return refuse(error instanceof Error ? (error.message.split('\n')[0] ?? '') : 'no YAML');
  }
  const result = schema.safeParse(content);
  if (result.success) return { ...over, ...result.data };
  const [issue] = result.error.issues;
  return refuse(`${issue?.path.join('.') ?? ''} ${issue?.message ?? ''}`.trim());
}
