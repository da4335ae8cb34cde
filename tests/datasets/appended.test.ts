/** @file A text behind prompts of training: where it stands, how often, and that what must be absent stays so. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { appendedTo, behind } from '../../datasets/appended.js';

const key = (at: number) => ({ seed: 1, purpose: 'pairs', at: [0, at] });

describe('a text behind prompts', () => {
  it('stands behind a request, with a space where it brings none, and changes nothing else', () => {
    fc.assert(
      fc.property(fc.string({ minLength: 1 }), fc.string({ minLength: 1 }), (prompt, text) => {
        const values = { prompt, adversarial: 'yes', desired: 'no' };
        const changed = appendedTo(values, { text, share: 1 }, key(0), 'row');
        expect(changed).toEqual({ ...values, prompt: behind(prompt, text) });
        expect(appendedTo(values, { text, share: 0 }, key(0), 'row')).toBe(values);
      }),
    );
    expect(behind('a', 'b')).toBe('a b');
    expect(behind('a', ' b')).toBe('a b');
  });

  it("stands behind a conversation's last request", () => {
    const message = (role: string, content: string) => ({ role, content });
    const prompt = [message('user', 'one'), message('assistant', 'two'), message('user', 'three')];
    const { prompt: changed } = appendedTo({ prompt }, { text: 'x', share: 1 }, key(0), 'row');
    expect(changed).toEqual([...prompt.slice(0, 2), message('user', 'three x')]);
  });

  it('is drawn for its share of the rows, by their place alone', () => {
    const changed = (at: number) =>
      appendedTo({ prompt: 'p' }, { text: 'x', share: 0.3 }, key(at), 'row')['prompt'] === 'p x';
    const drawn = Array.from({ length: 1000 }, (_, at) => changed(at));
    expect(drawn.filter(Boolean).length / 1000).toBeCloseTo(0.3, 1);
    expect(Array.from({ length: 1000 }, (_, at) => changed(at))).toEqual(drawn);
  });

  it('needs rows with a request', () => {
    const refused = (values: object) => () =>
      appendedTo({ ...values }, { text: 'x', share: 1 }, key(0), 'row 3');
    expect(refused({ desired: 'running text' })).toThrow(
      expect.objectContaining({ code: 'DATASET_VALUE_TYPE' }),
    );
    expect(refused({ prompt: [{ role: 'system', content: 'be' }] })).toThrow(/without a request/);
  });
});
