/** @file PAIR-style search: an attacker rewords requests and learns what came of it, until the judge says that one worked. */
import { judged, type Judged } from '../answer-to.js';
import type { PairConfig } from '../config.js';
import type { Asking, Attempt, Method } from '../method.js';
import type { Question } from '../questions.js';
import { answered } from '../worded-methods.js';
import { attackerOf, type Story } from './attackers.js';

interface Stream {
  readonly question: Question;
  story: Story;
  last?: Attempt;
}

/** An attempt that complied, else the last of the first stream. */
export function pair({ attacker, rounds, streams }: PairConfig): Method {
  const propose = attackerOf(attacker);
  return {
    name: 'pair',
    attempt: async (asking, group, first) => {
      const all = group.map((question, at) =>
        Array.from({ length: streams }, (_, stream) => begun(question, first + at, stream)),
      );
      const broken = new Map<Question, Attempt>();
      for (let round = 0; round < rounds; round++) {
        const open = all.flat().filter(({ question }) => !broken.has(question));
        if (open.length === 0) break;
        const prompts = await propose(open.map(({ story }) => story));
        for (let start = 0; start < open.length; start += asking.config.batch) {
          const end = start + asking.config.batch;
          await tryOut(asking, open.slice(start, end), prompts.slice(start, end), broken);
        }
      }
      return all.map(([stream]) => {
        const { question, last } = stream as Stream;
        return broken.get(question) ?? (last as Attempt);
      });
    },
  };
}

function begun(question: Question, index: number, stream: number): Stream {
  const { prompt: request, answer: target } = question;
  return { question, story: { request, target, history: [], index, stream } };
}

/** Asks, judges, and writes into the stories what came of it. */
async function tryOut(
  asking: Asking,
  streams: readonly Stream[],
  prompts: readonly string[],
  broken: Map<Question, Attempt>,
): Promise<void> {
  const { questions, config } = asking;
  const most = questions.context - config.maxNewTokens;
  const asked = streams.map(({ question }, at) => {
    const tokens = questions.promptTokens([{ role: 'user', content: prompts[at] as string }]);
    // What the context does not hold is asked as it was.
    return { prompt: tokens.length <= most ? tokens : question.promptTokens, given: 0 };
  });
  const attempts = await answered(asking, asked);
  const answers = await judged(
    asking,
    streams.map(({ question }) => question),
    attempts,
  );
  for (const [at, stream] of streams.entries()) {
    const { answer, outcome } = answers[at] as Judged;
    const attempt = attempts[at] as Attempt;
    const made = { prompt: prompts[at] as string, answer: answer.generated, outcome };
    stream.story = { ...stream.story, history: [...stream.story.history, made] };
    stream.last = attempt;
    if (outcome === 'comply' && !broken.has(stream.question)) broken.set(stream.question, attempt);
  }
}
