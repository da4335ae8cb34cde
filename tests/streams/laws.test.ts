import { describe, it } from 'vitest';
import { everyNth, filter, latest, map, rollingMean, serial, share, take, tap } from '../../streams/index.js';
import { failsOnce, obeysStreamLaws, type StreamSubject } from '../laws.js';

const mean = (values: readonly number[]): number =>
  values.reduce((sum, each) => sum + each, 0) / values.length;

const subjects: Record<string, StreamSubject<unknown>> = {
  serial: {
    operator: (wait) => serial((value: number) => wait(value * 2)),
    model: (input) => input.map((value) => value * 2),
  },
  'serial of a synchronous step': {
    operator: () => serial((value: number) => -value),
    model: (input) => input.map((value) => -value),
  },
  map: {
    operator: () => map((value: number) => value + 1),
    model: (input) => input.map((value) => value + 1),
  },
  tap: { operator: () => tap<number>(() => undefined), model: (input) => input },
  filter: {
    operator: () => filter<number>((value) => value > 0),
    model: (input) => input.filter((value) => value > 0),
  },
  everyNth: { operator: () => everyNth<number>(3), model: (input) => input.filter((_, at) => at % 3 === 2) },
  take: { operator: () => take<number>(3), model: (input) => input.slice(0, 3) },
  'take of nothing': { operator: () => take<number>(0), model: () => [] },
  share: { operator: () => share<number>(), model: (input) => input },
  rollingMean: {
    operator: () => rollingMean(4),
    model: (input) => input.map((_, at) => mean(input.slice(Math.max(0, at - 3), at + 1))),
  },
  'latest with a consumer that keeps up': {
    operator: () => latest<number>(),
    model: (input) => input,
    decoupled: true,
  },
  'a chain of them': {
    operator: (wait) => (flow) =>
      flow.through(
        serial((value: number) => wait(value)),
        filter((value) => value % 2 === 0),
        share(),
        serial((value) => wait(value + 1)),
        take(4),
      ),
    model: (input) =>
      input
        .filter((value) => value % 2 === 0)
        .map((value) => value + 1)
        .slice(0, 4),
  },
};

describe('stream laws', () => {
  for (const [name, subject] of Object.entries(subjects)) {
    it(`${name} keeps order and credits, ends once, passes errors, and leaves nothing open`, () =>
      obeysStreamLaws(subject));
  }

  const refuse = (value: number): number => {
    if (value > 3) throw new Error('operator failed');
    return value;
  };

  it('serial fails once when a step rejects', () =>
    failsOnce((wait) => serial(async (value: number) => refuse(await wait(value)))));

  it('serial fails once when a step throws at once', () => failsOnce(() => serial(refuse)));

  it('a synchronous operator fails once when it throws', () => failsOnce(() => map(refuse)));
});
