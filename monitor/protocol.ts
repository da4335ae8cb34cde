/** @file The messages between monitor and viewers, as JSON text over a WebSocket. Types and one parser; no I/O. */
import type { Metric } from '../streams/index.js';

/** Raised when a change would break a viewer that speaks the version before. */
export const PROTOCOL_VERSION = 1;

/** What a viewer is told about the run: a name, and whatever else helps a reader (recipe, model, seed, arms, …). */
export interface RunDescription {
  readonly name: string;
  readonly [detail: string]: unknown;
}

export type RunState = 'starting' | 'running' | 'paused' | 'stopping' | 'done' | 'failed';

export const COMMANDS = ['pause', 'resume', 'stop'] as const;
export type Command = (typeof COMMANDS)[number];

/** First message to every viewer. */
export interface Hello {
  readonly type: 'hello';
  readonly version: typeof PROTOCOL_VERSION;
  /** Changes when the monitor restarts: sequence numbers of another session may mean other metrics. */
  readonly session: string;
  readonly run: RunDescription;
  readonly state: RunState;
  readonly detail?: string;
  /** The commands this viewer may send; none when the monitor only shows. */
  readonly commands: readonly Command[];
  /** The sequence number after the newest metric. */
  readonly next: number;
}

/**
 * What the monitor says. After the hello, the history as `metric` messages in sequence (long series thinned out), then
 * `live`, then metrics as they come. A viewer that reads too slowly gets only the newest of each run and kind.
 * A viewer that comes back asks for `/metrics?session=S&after=N` and gets what is newer than N.
 */
export type ServerMessage =
  | Hello
  | ({ readonly type: 'metric' } & Metric)
  | { readonly type: 'live' }
  | { readonly type: 'state'; readonly state: RunState; readonly detail?: string }
  | { readonly type: 'reply'; readonly id: string; readonly ok: true }
  | { readonly type: 'reply'; readonly id: string; readonly ok: false; readonly error: string }
  | { readonly type: 'error'; readonly error: string };

/** What a viewer may say; answered by a `reply` with the same id (at most 64 characters). */
export interface CommandMessage {
  readonly type: 'command';
  readonly id: string;
  readonly command: Command;
}

/** The command in a message's text, or what is wrong with it. */
export function commandFrom(text: string): CommandMessage | { readonly error: string } {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    return { error: 'not JSON' };
  }
  if (typeof json !== 'object' || json === null) return { error: 'not an object' };
  const { type, id, command } = json as Record<string, unknown>;
  if (type !== 'command') return { error: 'type must be "command"' };
  if (typeof id !== 'string' || id === '' || id.length > 64) return { error: 'id must be a short string' };
  const known = COMMANDS.find((each) => each === command);
  if (known === undefined) return { error: `command must be one of ${COMMANDS.join(', ')}` };
  return { type, id, command: known };
}
