/** @file Whatever is watched and however small the terminal: the picture fits, and nothing in it steers the terminal. */
import fc from 'fast-check';
import stringWidth from 'string-width';
import { describe, expect, it } from 'vitest';
import type { RunView } from '../../daemon/index.js';
import { GOALS, RUN_STATES } from '../../daemon/transitions.js';
import type { WatchEvent } from '../../watch/event.js';
import { picture } from '../../watch/picture.js';
import { bar, sparkline } from '../../watch/sparkline.js';
import { clipped, harmless, padded } from '../../watch/text.js';
import { emptyView, see, type View } from '../../watch/view.js';

const HOSTILE = ['\x1b[2J', '\x1b]0;title\x07', '\r\n', '\u202e', '愛', '👩‍👩‍👧', 'é', '\x9b1A', '\t', '\0'];
const text = fc
  .array(fc.oneof(fc.string(), fc.string({ unit: 'grapheme' }), fc.constantFrom(...HOSTILE)), {
    maxLength: 4,
  })
  .map((parts) => parts.join(''));
const value = fc.oneof(fc.double(), fc.constantFrom(0, 1, -0, 1e308, -1e308, Number.NaN));
const kind = fc.constantFrom('attack', 'defend', 'throughput', 'evaluate', 'progress', 'checkpoint');
const name = fc.oneof(
  text,
  fc.constantFrom(
    'loss',
    'epsilon',
    'norm/embedding',
    'bounded/x',
    'directComply',
    'step',
    'steps',
    'secondsLeft',
  ),
  fc.constantFrom('secondsPerStep', 'tokensPerSecond', 'benignAccuracy'),
);

const runs = fc.array(
  fc.record({
    id: text,
    name: text,
    state: fc.constantFrom(...RUN_STATES),
    goal: fc.option(fc.constantFrom(...GOALS)),
    reason: fc.option(text),
    live: fc.option(
      fc.record({
        progress: fc.option(
          fc.record({ part: text, step: fc.nat(), steps: fc.nat(), stepsPerSecond: fc.option(value) }),
        ),
      }),
    ),
  }),
  { maxLength: 30 },
) as unknown as fc.Arbitrary<readonly RunView[]>;

const event: fc.Arbitrary<WatchEvent> = fc.oneof(
  fc.record({ type: fc.constant('run' as const), run: text, from: text, may: fc.constant([]) }),
  fc.record({ type: fc.constant('state' as const), run: text, state: text, detail: fc.option(text) }),
  fc.record({ type: fc.constant('link' as const), up: fc.boolean(), detail: text }),
  runs.chain((all) =>
    fc.record({
      type: fc.constant('runs' as const),
      runs: fc.constant(all),
      chosen: fc.constantFrom(null, ...all.map(({ id }) => id)),
    }),
  ),
  fc.record({
    type: fc.constant('metric' as const),
    run: text,
    sequence: fc.nat(),
    time: fc.nat(),
    step: fc.nat(),
    kind,
    values: fc.dictionary(name, value, { maxKeys: 6 }),
  }),
);

const viewOf = (events: readonly WatchEvent[]): View => {
  const view = emptyView();
  for (const each of events) see(view, each);
  return view;
};

describe('a picture', () => {
  it('has no line that is wider, and no more lines, than the terminal, and no control character', () => {
    const size = fc.record({
      columns: fc.integer({ min: 1, max: 200 }),
      rows: fc.integer({ min: 1, max: 60 }),
    });
    fc.assert(
      fc.property(fc.array(event, { maxLength: 30 }), text, text, size, (events, keys, note, room) => {
        const lines = picture({ ...viewOf(events), note }, keys, room).map((line) => line.text);
        expect(lines.length).toBeLessThanOrEqual(room.rows);
        for (const line of lines) {
          expect(stringWidth(line)).toBeLessThanOrEqual(room.columns);
          expect(line).not.toMatch(/\p{C}/u);
        }
      }),
    );
  });

  it('shows losses, norms against ε, success and speed of the arm that is trained', () => {
    const metric = (kind: string, values: Record<string, number>): WatchEvent => ({
      type: 'metric',
      ...{ run: 'tiny/lat', sequence: 0, time: 0, step: 7, kind, values },
    });
    const view = viewOf([
      { type: 'run', run: 'tiny', from: 'here', may: [] },
      { type: 'state', run: 'tiny', state: 'running', detail: null },
      metric('attack', { loss: 2, epsilon: 0.5, 'norm/embedding': 0.25 }),
      metric('attack', { loss: 1, epsilon: 0.5, 'norm/embedding': 0.5 }),
      metric('evaluate', { directComply: 0.25, directComplyLow: 0.1 }),
      metric('progress', { step: 7, steps: 14, secondsLeft: 61 }),
    ]);
    const lines = picture(view, 'q leave', { columns: 80, rows: 40 }).map((line) => line.text);
    expect(lines[0]).toBe('tiny · running · tiny/lat');
    expect(lines[2]).toMatch(/^█+░+ 7\/14 {2}1 min 1 s left$/);
    expect(lines).toContainEqual(expect.stringMatching(/^ {2}loss +1 {2}█▁$/));
    expect(lines).toContainEqual(expect.stringMatching(/^norms, of ε 0.5$/));
    expect(lines).toContainEqual(expect.stringMatching(/^ {2}embedding +0\.5 100 % {2}▁█$/));
    expect(lines).toContainEqual(expect.stringMatching(/^ {2}direct comply +25\.0 % {2}▅$/));
    expect(lines.join()).not.toContain('low');
    expect(lines.at(-1)).toBe('q leave');
  });
});

describe('text', () => {
  it('is clipped to at most, and padded to exactly, the columns that there are', () => {
    fc.assert(
      fc.property(text, fc.nat({ max: 40 }), (said, width) => {
        expect(stringWidth(clipped(harmless(said), width))).toBeLessThanOrEqual(width);
        expect(stringWidth(padded(harmless(said), width))).toBe(width);
      }),
    );
  });
});

describe('a sparkline', () => {
  it('has a block or a blank for each column, lowest and highest where values are', () => {
    fc.assert(
      fc.property(fc.array(value, { maxLength: 300 }), fc.nat({ max: 100 }), (values, width) => {
        expect(sparkline(values, width)).toMatch(/^[▁▂▃▄▅▆▇█ ]*$/);
        expect(sparkline(values, width)).toHaveLength(Math.min(width, values.length));
        expect(bar(values[0] ?? Number.NaN, width)).toHaveLength(width);
      }),
    );
    expect(sparkline([0, 1, 2, 3, 4, 5, 6, 7], 8)).toBe('▁▂▃▄▅▆▇█');
    expect(sparkline([3, 3 + 1e-7], 2)).toBe('▅▅');
  });
});

describe('a view', () => {
  it('keeps a bounded number of values of a series, the last among its newest', () => {
    const view = emptyView();
    for (let step = 0; step < 5000; step++)
      see(view, {
        type: 'metric',
        ...{ run: 'a', sequence: step, time: 0, step, kind: 'attack', values: { loss: step } },
      });
    const course = view.arms.get('a')!.courses.get('attack/loss')!;
    expect(course.values.length).toBeLessThan(512);
    expect(course.values[0]).toBe(0);
    expect(course.newest).toBe(4999);
    expect(course.values).toEqual([...course.values].sort((a, b) => a - b));
  });
});
