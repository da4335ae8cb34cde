/** @file The model without its refusal direction, asked plainly. */
import { pack } from '../../../datasets/index.js';
import { complain } from '../../../foundation/index.js';
import { judged } from '../answer-to.js';
import type { AblationConfig } from '../config.js';
import type { Asking, Inside, Method, Subject } from '../method.js';
import type { Question } from '../questions.js';
import { prefilled } from '../worded-methods.js';

/** One attack for each origin of the direction. */
export function ablation({ from, depths }: AblationConfig): Method[] {
  return [...new Set(from)].map((origin): Method => {
    let weakened: Promise<Subject> | undefined;
    const name = origin === 'own' ? 'ablation' : 'transferredAblation';
    return {
      name,
      attempt: async (asking, group, first) => {
        const subject = await (weakened ??= weakest(asking, origin, depths));
        return prefilled(name, 0).attempt({ ...asking, subject }, group, first);
      },
    };
  });
}

/**
 * The model without the one of several directions under which most of the first group's answers comply, as the judge says:
 * the likelihood of the compliant answer tells little, since all but its first words are likely once they are given.
 */
async function weakest(
  asking: Asking,
  of: 'own' | 'transferred',
  depths: readonly number[],
): Promise<Subject> {
  const { subject, config, questions } = asking;
  const inside = subject.inside as Inside;
  if (questions.benign.length === 0) refuseNoBenign();
  const bad = await meanStates(inside, questions.harmful, config.batch, of);
  const good = await meanStates(inside, questions.benign, config.batch, of);
  const group = questions.harmful.slice(0, config.batch);
  const blocks = new Set(depths.map((depth) => Math.round(depth * (bad.length - 1))));
  let best: { readonly subject: Subject; readonly complied: number } | undefined;
  for (const block of blocks) {
    const without = await inside.without(between(bad[block] as Float64Array, good[block] as Float64Array));
    const complied = await compliance({ ...asking, subject: without }, group);
    if (!best || complied > best.complied) best = { subject: without, complied };
  }
  return best?.subject ?? subject;
}

/** How many answers to plain requests comply. */
async function compliance(asking: Asking, group: readonly Question[]): Promise<number> {
  const attempts = await prefilled('', 0).attempt(asking, group, 0);
  const answers = await judged(asking, group, attempts);
  return answers.filter(({ outcome }) => outcome === 'comply').length;
}

/** Mean activations at the prompts' last tokens, by block. */
async function meanStates(
  inside: Inside,
  questions: readonly Question[],
  batch: number,
  of: 'own' | 'transferred',
): Promise<Float64Array[]> {
  const means: Float64Array[] = [];
  for (let start = 0; start < questions.length; start += batch) {
    const group = questions.slice(start, start + batch);
    // The state that predicts an answer's first token is the prompt's last; which token that is does not matter.
    const rows = group.map(({ promptTokens }) => ({ prompt: promptTokens, desired: [0] }));
    const states = await inside.states(pack(rows, { attacked: 'none' }), of);
    states.forEach((state, block) => {
      const width = state.length / group.length;
      const sum = (means[block] ??= new Float64Array(width));
      state.forEach((value, at) => {
        sum[at % width] = (sum[at % width] as number) + value / questions.length;
      });
    });
  }
  return means;
}

/** The direction from one to the other, of length 1. */
function between(a: Float64Array, b: Float64Array): Float32Array {
  const difference = a.map((value, at) => value - (b[at] as number));
  const length = Math.hypot(...difference);
  return Float32Array.from(difference, (value) => (length > 0 ? value / length : 0));
}

function refuseNoBenign(): never {
  return complain({
    code: 'ABLATION_BENIGN',
    owner: 'evaluate.ablation',
    expected: 'benign requests, which harmful ones are compared with',
    got: 'none',
    hint: 'give evaluate.benign, or leave evaluate.ablation out',
  });
}
