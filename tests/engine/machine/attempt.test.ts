/** @file How the process of an attempt ends: slowly is well, silence is a hang. Processes and their time are made up here. */
import { EventEmitter } from 'node:events';
import { Readable } from 'node:stream';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { outcome, type Attempt, type Word } from '../../../engine/machine/attempt.js';

const ran: Attempt = { end: 'ran', name: 'x', milliseconds: 9000, firstMilliseconds: 50_000, error: 0 };

/** A process that ends when it is killed. */
class Made extends EventEmitter {
  readonly stderr = new Readable({ read: () => undefined });
  kill(signal: NodeJS.Signals): boolean {
    return this.emit('close', null, signal);
  }
  say(word: Word): void {
    this.emit('message', word);
  }
}

let child: Made;
beforeEach(() => {
  vi.useFakeTimers();
  child = new Made();
});
afterEach(() => vi.useRealTimers());

const watched = (): Promise<Attempt> => outcome(child as never);

describe('outcome', () => {
  it('waits for one that is slow as long as it says what it begins', async () => {
    const end = watched();
    for (const doing of ['the step in plain JavaScript', 'the first step', 'step 2', '16 bits']) {
      child.say({ doing });
      vi.advanceTimersByTime(59_000);
    }
    child.say(ran);
    child.emit('close', 0, null);
    expect(await end).toEqual(ran);
  });

  it.each([
    [[], 'starting'],
    [['the step in plain JavaScript', 'the first step'], 'the first step'],
    [['the first step', 'step 2'], 'step 2'],
  ])('kills one that falls silent after %j, and says what it did last', async (words, doing) => {
    const end = watched();
    for (const word of words) child.say({ doing: word });
    vi.advanceTimersByTime(60_000);
    expect(await end).toEqual({ end: 'late', seconds: 60, doing });
  });

  it('takes what came before the process hung at its end', async () => {
    const end = watched();
    child.say(ran);
    vi.advanceTimersByTime(60_000);
    expect(await end).toEqual(ran);
  });

  it('knows one that died from one that failed', async () => {
    const died = watched();
    child.emit('close', null, 'SIGSEGV');
    expect(await died).toEqual({ end: 'died', how: 'SIGSEGV', said: '' });
    const failed = watched();
    child.emit('error', new Error('no memory'));
    child.emit('close', null, null);
    expect(await failed).toEqual({ end: 'failed', message: 'no memory' });
  });
});
