/** @file What is seen as lines for those who read them later: for people, or as JSON for programs. */
import type { WatchEvent } from './event.js';
import { figure, harmless } from './text.js';

/** One line of JSON; undefined for what only drawings use. */
export function jsonLine(event: WatchEvent): string | undefined {
  return event.type === 'runs' ? undefined : `${JSON.stringify(event)}\n`;
}

/** One line for people; undefined for what only drawings use. @param now milliseconds since the epoch */
export function plainLine(event: WatchEvent, now: number): string | undefined {
  const said = textOf(event);
  if (said === undefined) return undefined;
  const time = event.type === 'metric' ? event.time : now;
  return `${new Date(time).toISOString()} ${harmless(said)}\n`;
}

function textOf(event: WatchEvent): string | undefined {
  switch (event.type) {
    case 'run':
      return event.run === '' ? undefined : `watching ${event.run} at ${event.from}`;
    case 'state':
      return `${event.run} ${event.state}${event.detail === null ? '' : `: ${event.detail}`}`;
    case 'metric': {
      const { run, step, kind, values } = event;
      // Ends of intervals are for those who plot.
      const named = Object.entries(values).filter(([name]) => !/(Low|High)$/.test(name));
      return [`${run} ${step} ${kind}`, ...named.map(([name, value]) => `${name}=${figure(value)}`)].join(
        ' ',
      );
    }
    case 'progress': {
      const { part, step, steps, stepsPerSecond } = event.progress;
      const rate = stepsPerSecond === null ? '' : ` ${figure(stepsPerSecond)} steps/s`;
      return `${event.run} ${part} ${step}/${steps}${rate}`;
    }
    case 'link':
      return event.up ? `reached again: ${event.detail}` : `not reached: ${event.detail}; trying again`;
    case 'runs':
      return undefined;
    default:
      return event satisfies never;
  }
}
