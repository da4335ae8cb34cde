/** @file Shows a source to whoever looks: a terminal is drawn anew and its keys are heard, anything else gets lines. */
import { once } from 'node:events';
import { emitKeypressEvents } from 'node:readline';
import { ASKABLE, type Askable, type Ending, type Source, type WatchEvent } from './event.js';
import { picture } from './picture.js';
import { jsonLine, plainLine } from './report-line.js';
import { Screen } from './screen.js';
import { emptyView, see } from './view.js';

export interface Presentation {
  readonly json: boolean;
  readonly input: NodeJS.ReadStream;
  readonly output: NodeJS.WriteStream;
  /** Ends the looking; what is watched goes on. */
  readonly signal: AbortSignal;
}

type Show = (event: WatchEvent) => void | Promise<void>;

/** @throws what the source throws */
export async function present(source: Source, presentation: Presentation): Promise<Ending> {
  const { output, json } = presentation;
  return output.isTTY && !json ? drawn(source, presentation) : told(source, presentation);
}

async function told(source: Source, { json, output, signal }: Presentation): Promise<Ending> {
  return followed(source, signal, async (event) => {
    const text = json ? jsonLine(event) : plainLine(event, Date.now());
    // Who reads slowly is waited for: what is watched waits for nobody, and keeps little for those who are slow.
    if (text !== undefined && !output.write(text))
      await once(output, 'drain', { signal }).catch(() => undefined);
  });
}

async function drawn(source: Source, { input, output, signal }: Presentation): Promise<Ending> {
  const view = emptyView();
  let may: readonly Askable[] = [];
  const screen = new Screen(output, (size) => picture(view, keysOf(source, may), size));
  const leave = new AbortController();
  const unhear = heardKeys(input, (key) => {
    if (key === 'q') leave.abort();
    if (key === 'up' || key === 'k') source.move?.(-1);
    if (key === 'down' || key === 'j') source.move?.(1);
    const asked = may.find((each) => each.startsWith(key));
    if (asked === undefined) return;
    void source.ask(asked).then((note) => {
      view.note = note;
      screen.refresh();
    });
  });
  try {
    return await followed(source, AbortSignal.any([signal, leave.signal]), (event) => {
      if (event.type === 'run') may = event.may;
      see(view, event);
      screen.refresh();
    });
  } finally {
    unhear();
    screen.close();
  }
}

async function followed(source: Source, signal: AbortSignal, show: Show): Promise<Ending> {
  const events = source.events(signal);
  for (;;) {
    const next = await events.next();
    if (next.done) return next.value;
    await show(next.value);
  }
}

function keysOf(source: Source, may: readonly Askable[]): string {
  const asking = ASKABLE.filter((each) => may.includes(each)).map((each) => `${each.charAt(0)} ${each}`);
  return [...(source.move ? ['↑ ↓ choose'] : []), ...asking, 'q leave'].join('  ');
}

/** One call for each key; Ctrl-C is `q`. @returns what ends it */
function heardKeys(input: NodeJS.ReadStream, hear: (key: string) => void): () => void {
  if (!input.isTTY) return () => undefined;
  const heard = (_: unknown, key: { readonly name?: string; readonly ctrl?: boolean }): void => {
    if (key.ctrl === true) {
      if (key.name === 'c' || key.name === 'd') hear('q');
    } else if (key.name !== undefined && key.name !== '') hear(key.name);
  };
  emitKeypressEvents(input);
  input.setRawMode(true).resume().on('keypress', heard);
  return () => void input.off('keypress', heard).setRawMode(false).pause();
}
