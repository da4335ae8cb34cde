/** @file Who is told what of runs, and in which words. Pure but for random ids; knows no network. */
import { createHmac, randomUUID } from 'node:crypto';
import { z } from 'zod';
import type { Metric } from '../streams/index.js';
import type { Letter } from './outbox.js';
import type { Happened } from './store.js';
import type { StoredRun } from './stored-run.js';

/** `died`: its process, of something that may pass; `threshold`: a metric got beyond a bound. */
export const HOOK_EVENTS = ['finished', 'failed', 'paused', 'died', 'threshold'] as const;
export type HookEvent = (typeof HOOK_EVENTS)[number];

/** As in the files of Standard Webhooks; the prefix may be left out. */
const SECRET = /^(whsec_)?[A-Za-z0-9+/]{32,88}={0,2}$/;

const threshold = z
  .strictObject({
    /** As in `metrics.ndjson`: `kind: evaluate`, `metric: latentComply`. */
    kind: z.string().min(1).max(100),
    metric: z.string().min(1).max(200),
    above: z.number().exactOptional(),
    below: z.number().exactOptional(),
  })
  .refine(({ above, below }) => (above === undefined) !== (below === undefined), 'either above or below');
export type Threshold = z.infer<typeof threshold>;

const webhook = z
  .strictObject({
    url: z
      .url({ protocol: /^https?$/, error: 'an address that begins with http:// or https://' })
      .max(2000)
      .refine((url) => !URL.canParse(url) || new URL(url).username === '', 'no user name or password in it'),
    /** All but `threshold` where it is left out. */
    events: z.array(z.enum(HOOK_EVENTS)).min(1).exactOptional(),
    threshold: threshold.exactOptional(),
    secret: z
      .string()
      .regex(SECRET, 'base64 of 24 to 64 bytes, as of openssl rand -base64 32')
      .exactOptional(),
  })
  .refine(
    ({ events, threshold: bound }) =>
      events === undefined || events.includes('threshold') === (bound !== undefined),
    'threshold among events, and what it is, or neither',
  );
export type Webhook = z.infer<typeof webhook>;

export const webhooks = z
  .array(webhook)
  .max(32)
  .refine((all) => new Set(all.map(({ url }) => url)).size === all.length, 'each url once');

export function wants({ events, threshold: bound }: Webhook, event: HookEvent): boolean {
  if (events) return events.includes(event);
  return event !== 'threshold' || bound !== undefined;
}

/** What is told of a run. */
export type ToldRun = Pick<
  StoredRun,
  'id' | 'name' | 'directory' | 'priority' | 'state' | 'reason' | 'attempts' | 'labels'
> & {
  /** The machine that has it, or had it last, where there may be several. */
  readonly worker?: string | null;
};

/** Something that is told of. */
export interface Telling {
  readonly event: HookEvent;
  /** As it was then. */
  readonly run: ToldRun;
  /** When it happened, in milliseconds since the epoch. */
  readonly now: number;
  /** What got beyond the threshold. */
  readonly measured?: Metric;
}

/** The letters that go out because something happened. */
export function lettersOf(hooks: readonly Webhook[], happened: Happened): Letter[] {
  const { run, now } = happened;
  return hookEventsOf(happened).flatMap((event) =>
    hooks.filter((hook) => wants(hook, event)).map((hook) => letter(hook, { event, run, now })),
  );
}

/** What of it there is to tell. */
export function hookEventsOf({
  before,
  run,
  event,
}: Pick<Happened, 'before' | 'run' | 'event'>): HookEvent[] {
  const became = (state: StoredRun['state']): boolean => run.state === state && before.state !== state;
  return [
    ...(event === 'die' && before.state === 'running' ? ['died' as const] : []),
    ...(became('done') ? ['finished' as const] : []),
    ...(became('failed') ? ['failed' as const] : []),
    ...(became('paused') ? ['paused' as const] : []),
  ];
}

/** Whether a metric is beyond a bound. */
export function isBeyond({ kind, metric, above, below }: Threshold, measured: Metric): boolean {
  const value = measured.kind === kind ? measured.values[metric] : undefined;
  if (value === undefined) return false;
  return above !== undefined ? value > above : below !== undefined && value < below;
}

/** The webhooks that are to be told that a metric is beyond their bound. */
export function crossedBy(
  hooks: readonly Webhook[],
  measured: Metric,
): { readonly hook: Webhook; readonly threshold: Threshold }[] {
  return hooks.flatMap((hook) => {
    const { threshold: bound } = hook;
    const isTold = bound !== undefined && wants(hook, 'threshold') && isBeyond(bound, measured);
    return isTold ? [{ hook, threshold: bound }] : [];
  });
}

/** @param id another one for each address */
export function letter(
  { url, threshold: bound }: Webhook,
  { event, run, now, measured }: Telling,
  id = `msg_${randomUUID()}`,
): Letter {
  const { id: of, name, directory, worker, priority, state, reason, attempts, labels } = run;
  const told = {
    ...{
      id: of,
      name,
      directory,
      ...(worker !== undefined && { worker }),
      priority,
      state,
      reason,
      attempts,
    },
    labels: JSON.parse(labels) as unknown,
  };
  const data = { run: told, ...(measured && { threshold: bound, measured }) };
  const body = { id, type: `run.${event}`, timestamp: new Date(now).toISOString(), data };
  return { id, url, body: JSON.stringify(body), created: now };
}

/**
 * The headers of a letter, as Standard Webhooks has them: its libraries check them in a dozen languages.
 * @param now of this attempt
 */
export function headersOf(
  { id, body }: Letter,
  secret: string | undefined,
  now: number,
): Record<string, string> {
  const seconds = String(Math.floor(now / 1000));
  const key = Buffer.from((secret ?? '').replace(/^whsec_/, ''), 'base64');
  const signature = createHmac('sha256', key).update(`${id}.${seconds}.${body}`).digest('base64');
  return {
    'content-type': 'application/json',
    'webhook-id': id,
    'webhook-timestamp': seconds,
    ...(secret !== undefined && { 'webhook-signature': `v1,${signature}` }),
  };
}
