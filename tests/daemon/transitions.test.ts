/** @file Laws of what may become of a run. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  following,
  RUN_STATES,
  TRANSITIONS,
  WITH_PROCESS,
  type RunEvent,
  type Standing,
} from '../../daemon/transitions.js';

const EVENTS = [...new Set(Object.values(TRANSITIONS).flatMap((row) => Object.keys(row)))] as RunEvent[];
const ENDINGS: readonly RunEvent[] = ['save', 'finish', 'fail', 'die', 'halt', 'recover'];
const BEGUN: Standing = { state: 'queued', goal: null, attempts: 0 };
const MOST = 3;

/** Every standing that some sequence of events leads to. */
function after(events: readonly RunEvent[]): Standing {
  return events.reduce((standing, event) => following(standing, event, MOST) ?? standing, BEGUN);
}

const histories = fc.array(fc.constantFrom(...EVENTS), { maxLength: 30 });
const hasProcess = ({ state }: Standing): boolean => WITH_PROCESS.includes(state);

describe('a run', () => {
  it('has a goal exactly while it is stopping', () => {
    fc.assert(
      fc.property(histories, (events) => {
        const { state, goal } = after(events);
        expect(goal !== null).toBe(state === 'stopping');
      }),
    );
  });

  it('gets a process by start alone, never while it has one, and loses it by an ending alone', () => {
    fc.assert(
      fc.property(histories, fc.constantFrom(...EVENTS), (events, event) => {
        const before = after(events);
        const next = following(before, event, MOST);
        if (!next) return;
        if (event === 'start') expect(hasProcess(before)).toBe(false);
        if (hasProcess(next) && !hasProcess(before)) expect(event).toBe('start');
        if (hasProcess(before) && !hasProcess(next)) expect(ENDINGS).toContain(event);
      }),
    );
  });

  it('with a process takes every ending, whatever was asked for before', () => {
    fc.assert(
      fc.property(histories, fc.constantFrom(...ENDINGS), (events, ending) => {
        const before = after(events);
        const next = following(before, ending, MOST);
        expect(next !== undefined).toBe(hasProcess(before));
        if (next) expect(hasProcess(next)).toBe(false);
      }),
    );
  });

  it('that is not done or cancelled can be brought to its end by resume, start and finish', () => {
    fc.assert(
      fc.property(histories, (events) => {
        const before = after(events);
        const final = before.state === 'done' || before.state === 'cancelled' || before.goal === 'cancelled';
        const rest: RunEvent[] = ['save', 'resume', 'start', 'finish'];
        const end = rest.reduce((standing, event) => following(standing, event, MOST) ?? standing, before);
        if (!final) expect(end.state).toBe('done');
      }),
    );
  });

  it('fails after as many deaths as it may die, and not before', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 6 }), (most) => {
        let standing = BEGUN;
        for (let death = 1; death <= most; death++) {
          expect(standing.state).toBe('queued');
          standing = following(following(standing, 'start', most)!, 'die', most)!;
        }
        expect(standing).toEqual({ state: 'failed', goal: null, attempts: most });
        expect(following(standing, 'resume', most)).toEqual(BEGUN);
      }),
    );
  });

  it('that is done or cancelled stays so', () => {
    expect(RUN_STATES.filter((state) => Object.keys(TRANSITIONS[state]).length === 0)).toEqual([
      'done',
      'cancelled',
    ]);
  });
});
