/** @file What is answered to a viewer's message. No I/O. */
import { COMMANDS, viewerMessageFrom, type Command, type Kinds, type ServerMessage } from './protocol.js';

/** Who does what viewers ask for. */
export interface Asked {
  /** Carries out commands; without it viewers only watch. */
  readonly onCommand: ((command: Command) => void | Promise<void>) | undefined;
  readonly subscribe: (kinds: Kinds) => void;
}

/** The commands that a viewer may send. */
export function commandsOf({ onCommand }: Pick<Asked, 'onCommand'>): readonly Command[] {
  return onCommand === undefined ? [] : COMMANDS;
}

/** Does what a message asks for, if it may be done. */
export async function answerTo(text: string, { onCommand, subscribe }: Asked): Promise<ServerMessage> {
  const message = viewerMessageFrom(text);
  if ('error' in message) return { type: 'error', code: 'MONITOR_MESSAGE', error: message.error };
  const { id } = message;
  const no = (code: 'MONITOR_COMMAND' | 'MONITOR_WATCH_ONLY', error: string): ServerMessage => ({
    ...{ type: 'reply', id, ok: false, code, error },
  });
  if (message.type === 'subscribe') {
    subscribe(message.kinds);
    return { type: 'reply', id, ok: true };
  }
  if (onCommand === undefined) return no('MONITOR_WATCH_ONLY', 'viewers only watch here');
  try {
    await onCommand(message.command);
    return { type: 'reply', id, ok: true };
  } catch (error) {
    return no('MONITOR_COMMAND', error instanceof Error ? error.message : String(error));
  }
}
