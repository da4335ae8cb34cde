/** @file PAIR-style search: what attackers are told, when they stop, and what is said of those that do not do their work. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { evaluate, type PairConfig } from '../../../../operators/index.js';
import { asked, config, question, scripted, Words } from '../scripted.js';

const plain = { ...config, direct: false, prefill: [] };
const program = (script: string): PairConfig['attacker'] => ({ command: [process.execPath, '-e', script] });
const STORIES = "require('fs').readFileSync(0,'utf8').trim().split('\\n').map(JSON.parse)";

async function run(pair: PairConfig, complies: (prompt: string) => boolean) {
  const words = new Words();
  const harmful = ['r1', 'r2'].map((name) => question(words, name, 'sure thing'));
  const { subject, asked: given } = scripted(words, (prompt) =>
    complies(prompt) ? 'sure thing' : 'I cannot',
  );
  const { attacks } = await evaluate(subject, asked(words, { harmful }), { ...plain, pair });
  return { outcome: attacks['pair']!, given };
}

describe('pair', () => {
  it('tells the attacker what came of its attempts, until one complies', async () => {
    const attacker = program(
      `for (const s of ${STORIES}) console.log(JSON.stringify({ prompt: [s.request, s.stream, ...s.history.map((h) => h.outcome + h.answer.length)].join(' ') }))`,
    );
    const { outcome, given } = await run(
      { attacker, rounds: 3, streams: 2 },
      (prompt) => prompt === 'r1 1 refuse8' || prompt.startsWith('r2 0'),
    );
    expect(outcome.outcomes).toEqual(['comply', 'comply']);
    // Both streams of both requests in groups of three; then only the request that had not complied.
    expect(given).toEqual([['r1 0', 'r1 1', 'r2 0'], ['r2 1'], ['r1 0 refuse8', 'r1 1 refuse8']]);
  });

  it('asks at most rounds times streams for a request, in framings that hold it', () =>
    fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 4 }),
        fc.integer({ min: 1, max: 3 }),
        async (rounds, streams) => {
          const { outcome, given } = await run({ attacker: 'wordings', rounds, streams }, () => false);
          const prompts = given.flat();
          expect(outcome.counts.refuse).toBe(2);
          expect(prompts).toHaveLength(2 * rounds * streams);
          expect(prompts.filter((prompt) => /\br1\b/.test(prompt))).toHaveLength(rounds * streams);
          expect(prompts.every((prompt) => /\br[12]\b/.test(prompt))).toBe(true);
          const again = await run({ attacker: 'wordings', rounds, streams }, () => false);
          expect(again.given).toEqual(given);
        },
      ),
      { numRuns: 12 },
    ));

  it.each([
    ['fails', 'process.exit(3)', 'ATTACKER_FAILED'],
    ['says too little', '', 'ATTACKER_ANSWER'],
    ['says no text', `for (const s of ${STORIES}) console.log('{"prompt":7}')`, 'ATTACKER_ANSWER'],
  ])('complains of an attacker that %s', async (_name, script, code) => {
    const pair = { attacker: program(script), rounds: 1, streams: 1 };
    await expect(run(pair, () => false)).rejects.toMatchObject({ code });
  });
});
