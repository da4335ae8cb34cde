/**
 * @file The messages between monitor and viewers, as JSON text over a WebSocket; docs/protocol.md tells them to people.
 * What comes in is held to these schemas, what goes out is typed by them. Depends on zod; no I/O.
 */
import { z } from 'zod';

/** Raised when a change would break a viewer that speaks the version before. */
export const PROTOCOL_VERSION = 1;
/** Those that viewers may name. */
export const PROTOCOL_VERSIONS: readonly number[] = [PROTOCOL_VERSION];

export const COMMANDS = ['pause', 'resume', 'stop'] as const;
export type Command = (typeof COMMANDS)[number];

/** Why a monitor closes a connection; beside these, `ws` says 1007 (no UTF-8) and 1009 (too long). */
export const CLOSE = { leaving: 1001, full: 1013, query: 4400, version: 4426, rate: 4429 } as const;

/** Bytes of a viewer's message. */
export const LONGEST_MESSAGE = 4096;

/** What a viewer is told about the run: a name, and whatever else helps a reader (recipe, model, seed, arms, …). */
export interface RunDescription {
  readonly name: string;
  readonly [detail: string]: unknown;
}

const state = z.enum(['starting', 'running', 'paused', 'stopping', 'done', 'failed']);
export type RunState = z.infer<typeof state>;

/** First message to every viewer. */
const hello = z.object({
  type: z.literal('hello'),
  version: z.literal(PROTOCOL_VERSION),
  /** Changes when the monitor restarts: sequence numbers of another session may mean other metrics. */
  session: z.string(),
  run: z.looseObject({ name: z.string() }) satisfies z.ZodType<RunDescription>,
  state,
  /** For people, e.g. an error's message. */
  detail: z.string().exactOptional(),
  /** The commands this viewer may send; none when the monitor only shows. */
  commands: z.array(z.enum(COMMANDS)).readonly(),
  /** The sequence number after the newest metric. */
  next: z.int().nonnegative(),
});
export type Hello = z.infer<typeof hello>;

const metric = z.object({
  type: z.literal('metric'),
  run: z.string(),
  sequence: z.int().nonnegative(),
  time: z.number(),
  step: z.int(),
  kind: z.string(),
  /** Null is what was not finite. */
  values: z.record(z.string(), z.number().nullable()).readonly(),
});

/** What a viewer's message was refused with. */
const COMPLAINTS = ['MONITOR_MESSAGE', 'MONITOR_WATCH_ONLY', 'MONITOR_COMMAND'] as const;

const id = z.string().min(1).max(64);

/**
 * What the monitor says. After the hello, the history as `metric` messages in sequence (long series thinned out), then
 * `live`, then metrics as they come. A viewer that reads too slowly gets only the newest of each run and kind.
 * A viewer that comes back asks for `/metrics?session=S&after=N` and gets what is newer than N.
 */
export const serverMessage = z.union([
  hello,
  metric,
  z.object({ type: z.literal('live') }),
  z.object({ type: z.literal('state'), state, detail: z.string().exactOptional() }),
  z.object({ type: z.literal('reply'), id, ok: z.literal(true) }),
  z.object({
    ...{ type: z.literal('reply'), id, ok: z.literal(false) },
    ...{ code: z.enum(COMPLAINTS), error: z.string() },
  }),
  z.object({ type: z.literal('error'), code: z.enum(COMPLAINTS), error: z.string() }),
]);
export type ServerMessage = z.infer<typeof serverMessage>;

/** How much of a kind a viewer wants: every n-th metric of each series, 0 for none; or at most so many a second. */
const rule = z.union([
  z.strictObject({ every: z.int().min(0).max(1e9) }),
  z.strictObject({ perSecond: z.number().min(0.001).max(1000) }),
]);
export type Rule = z.infer<typeof rule>;

/** By kind; `*` for those that are not named. Of what has no rule, everything is wanted. */
const kinds = z
  .record(z.string().min(1).max(100), rule)
  .refine((rules) => Object.keys(rules).length <= 100, 'at most 100 kinds');
export type Kinds = Readonly<Record<string, Rule>>;

/** What a viewer may say; answered by a `reply` with the same id. */
export const viewerMessage = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('command'), id, command: z.enum(COMMANDS) }),
  /** Instead of what was wanted before. */
  z.strictObject({ type: z.literal('subscribe'), id, kinds }),
]);
export type ViewerMessage = z.infer<typeof viewerMessage>;

/** The message in a text, or what is wrong with it. */
export function viewerMessageFrom(text: string): ViewerMessage | { readonly error: string } {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    return { error: 'not JSON' };
  }
  const result = viewerMessage.safeParse(json);
  return result.success ? result.data : { error: firstOf(result.error) };
}

/** What a viewer's address asks for. */
export interface ViewerQuery {
  /** Undefined where it does not say. */
  readonly version: number | undefined;
  /** The session that `after` is of. */
  readonly session: string;
  /** The newest sequence number that it has; −1 for none. */
  readonly after: number;
  /** Undefined: everything is wanted. */
  readonly kinds: Kinds | undefined;
}

/** The query of `/metrics?version=1&session=S&after=N&every=KIND:N`, or what is wrong with it. */
export function viewerQueryFrom(query: URLSearchParams): ViewerQuery | { readonly error: string } {
  const version = query.get('version');
  const after = Number.parseInt(query.get('after') ?? '', 10);
  const every = query.getAll('every').flatMap((rules) => rules.split(','));
  const rules = every.map((each): [string, { every: number }] => {
    const colon = each.lastIndexOf(':');
    return [each.slice(0, colon), { every: Number(each.slice(colon + 1) || Number.NaN) }];
  });
  const wanted = kinds.safeParse(Object.fromEntries(rules));
  if (!wanted.success) return { error: `every: ${firstOf(wanted.error)}` };
  return {
    version: version === null ? undefined : Number(version || Number.NaN),
    session: query.get('session') ?? '',
    after: Number.isSafeInteger(after) ? after : -1,
    kinds: rules.length > 0 ? wanted.data : undefined,
  };
}

function firstOf({ issues: [issue] }: z.ZodError): string {
  return `${issue?.path.join('.') ?? ''} ${issue?.message ?? ''}`.trim();
}
