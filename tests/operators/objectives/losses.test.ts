/** @file Losses on logits: against plain formulas in double precision, against the tape, and at the extremes. */
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import {
  createEngine,
  float32,
  int32,
  onnxruntimeExecutor,
  ops,
  tfjsExecutor,
  valueAndGradients,
  type Tensor,
  type Value,
} from '../../../engine/index.js';
import { away, AWAY_FLOOR, forwardKl, kl, logOdds, toward } from '../../../operators/index.js';

const LABELS = 3;
const VOCABULARY = 5;
type Args = { logits: Tensor; tokens: Tensor; weights: Tensor };
type Loss = (logits: Tensor, labels: { tokens: Tensor; weights: Tensor }) => Tensor;

const ours: Record<string, Loss> = {
  toward: (logits, labels) => toward(logOdds(logits, labels.tokens), labels),
  away: (logits, labels) => away(logOdds(logits, labels.tokens), labels),
};

/** The same losses as formulas that the tape differentiates: softmax, one-hot, log. */
const picked = (logits: Tensor, tokens: Tensor): Tensor =>
  ops.sum(ops.mul(ops.logSoftmax(logits as never), ops.oneHot(tokens as never, VOCABULARY)), 1);
const taped: Record<string, Loss> = {
  toward: (logits, { tokens, weights }) => ops.neg(ops.sum(ops.mul(weights, picked(logits, tokens)))),
  away: (logits, { tokens, weights }) => {
    const log = picked(logits, tokens);
    const kept = ops.cast(ops.greaterEqual(log, ops.scalar(AWAY_FLOOR)), 'float32');
    return ops.neg(ops.sum(ops.mul(ops.mul(weights, kept), ops.log(ops.sub(1, ops.exp(log))))));
  },
};

const program = (name: string, loss: Loss) => ({
  name,
  compute: ({ logits, tokens, weights }: Args) => {
    const found = valueAndGradients((x) => ({ loss: loss(x['logits']!, { tokens, weights }), aux: {} }), {
      logits,
    });
    return { loss: found.loss, gradient: found.gradients['logits']! };
  },
});

/** log Σ exp in double precision. */
const logSumExp = (values: readonly number[]): number => {
  const top = Math.max(...values);
  return top + Math.log(values.reduce((sum, value) => sum + Math.exp(value - top), 0));
};

/** −log(1−p) as the published code writes it: log-sum-exp of all minus that of the others. */
const published = {
  toward: (row: readonly number[], token: number) => logSumExp(row) - row[token]!,
  away: (row: readonly number[], token: number) =>
    row[token]! - logSumExp(row) < AWAY_FLOOR
      ? 0
      : logSumExp(row) - logSumExp(row.filter((_, at) => at !== token)),
};

const logit = fc.float({ min: -8, max: 8, noNaN: true });
const labelledWith = (value: fc.Arbitrary<number>) =>
  fc.record({
    rows: fc.array(fc.array(value, { minLength: VOCABULARY, maxLength: VOCABULARY }), {
      minLength: LABELS,
      maxLength: LABELS,
    }),
    tokens: fc.array(fc.nat(VOCABULARY - 1), { minLength: LABELS, maxLength: LABELS }),
    weights: fc.array(fc.constantFrom(0, 0.25, 0.5), { minLength: LABELS, maxLength: LABELS }),
  });
const labelled = labelledWith(logit);
/** Logits at which the plain formula's 1−p keeps its digits. */
const gentle = labelledWith(fc.float({ min: -3, max: 3, noNaN: true }));
/** Not within rounding of the floor, where a term may fall on either side. */
const decided = ({ rows, tokens }: { rows: number[][]; tokens: number[] }): boolean =>
  rows.every((each, at) => Math.abs(each[tokens[at]!]! - logSumExp(each) - AWAY_FLOOR) > 1e-4);

for (const [executor, make] of [
  ['onnxruntime', () => onnxruntimeExecutor({ threads: 1 })],
  ['tfjs', tfjsExecutor],
] as const)
  describe(`losses on ${executor}`, () => {
    const engine = createEngine(make());
    afterAll(() => engine.dispose());

    const run = async (
      name: string,
      loss: Loss,
      { rows, tokens, weights }: { rows: number[][]; tokens: number[]; weights: number[] },
    ) => {
      const result = await engine.run(program(name, loss), {
        logits: engine.upload(float32([rows.length, VOCABULARY], rows.flat())),
        tokens: engine.upload(int32([rows.length], tokens)),
        weights: engine.upload(float32([rows.length], weights)),
      });
      const data = async (value: Value) => [...(await engine.download(value)).data];
      return { loss: (await data(result.loss))[0]!, gradient: await data(result.gradient) };
    };

    for (const name of ['toward', 'away'] as const) {
      it(`${name} is its formula, for all logits, labels and weights`, () =>
        fc.assert(
          fc.asyncProperty(labelled.filter(decided), async (input) => {
            const expected = input.rows.reduce(
              (sum, each, at) => sum + input.weights[at]! * published[name](each, input.tokens[at]!),
              0,
            );
            const { loss } = await run(name, ours[name]!, input);
            expect(Math.abs(loss - expected)).toBeLessThan(1e-5 * Math.max(1, expected));
          }),
        ));

      it(`the gradient of ${name}, given by hand, is the tape's`, () =>
        fc.assert(
          fc.asyncProperty(gentle.filter(decided), async (input) => {
            const hand = await run(name, ours[name]!, input);
            const tape = await run(`${name} taped`, taped[name]!, input);
            hand.gradient.forEach((value, at) => {
              expect(Math.abs(value - tape.gradient[at]!)).toBeLessThan(2e-5);
            });
          }),
        ));
    }

    it('stays finite and exact where a label is certain or impossible', async () => {
      const rows = [
        [60, 0, 0, 0, 0],
        [-60, 0, 0, 0, 0],
        [200, 0, 0, 0, 0],
      ];
      const only = (at: number) => ({
        rows,
        tokens: [0, 0, 0],
        weights: [0, 1, 2].map((i) => (i === at ? 1 : 0)),
      });
      const others = Math.log(4);
      expect((await run('away', ours['away']!, only(0))).loss).toBeCloseTo(60 - others, 4);
      expect((await run('away', ours['away']!, only(2))).loss).toBeCloseTo(200 - others, 4);
      expect((await run('toward', ours['toward']!, only(1))).loss).toBeCloseTo(60 + others, 4);
      const { gradient } = await run('away', ours['away']!, only(0));
      expect(gradient[0]).toBeCloseTo(1, 5);
      expect(gradient[1]).toBeCloseTo(-0.25, 5);
    });

    it('leaves out of away, value and gradient, what is improbable already', async () => {
      const rows = [
        [-6, 0, -20, -20, -20],
        [-4, 0, -20, -20, -20],
        [0, 0, 0, 0, 0],
      ];
      const { loss, gradient } = await run('away', ours['away']!, {
        rows,
        tokens: [0, 0, 0],
        weights: [1, 1, 0],
      });
      expect(loss).toBeCloseTo(Math.log(1 + Math.exp(-4)), 5);
      expect(gradient.slice(0, VOCABULARY).every((value) => value === 0)).toBe(true);
      expect(gradient[VOCABULARY]).toBeGreaterThan(0.01);
    });

    it('kl is the mean over positions and vocabulary of p·(log p − log p_base), forwardKl Σ p_base·(log p_base − log p); both 0 for the base itself', () =>
      fc.assert(
        fc.asyncProperty(labelled, labelled, async ({ rows, weights }, { rows: base }) => {
          const logs = (each: number[]) => each.map((value) => value - logSumExp(each));
          const definition = {
            name: 'kl',
            compute: ({ x, b, w }: { x: Tensor; b: Tensor; w: Tensor }) => ({
              apart: kl(x, ops.logSoftmax(b as never), w),
              same: kl(x, ops.logSoftmax(x as never), w),
              forward: forwardKl(x, ops.logSoftmax(b as never), w),
              still: forwardKl(x, ops.logSoftmax(x as never), w),
            }),
          };
          const result = await engine.run(definition, {
            x: engine.upload(float32([LABELS, VOCABULARY], rows.flat())),
            b: engine.upload(float32([LABELS, VOCABULARY], base.flat())),
            w: engine.upload(float32([LABELS], weights)),
          });
          const divergence = (from: number[][], to: number[][]) =>
            from.reduce((sum, each, at) => {
              const [p, q] = [logs(each), logs(to[at]!)];
              return sum + weights[at]! * p.reduce((s, l, i) => s + Math.exp(l) * (l - q[i]!), 0);
            }, 0);
          const value = async (of: Value) => (await engine.download(of)).data[0]!;
          expect(await value(result.apart)).toBeCloseTo(divergence(rows, base) / VOCABULARY, 4);
          expect(await value(result.forward)).toBeCloseTo(divergence(base, rows), 4);
          for (const none of [result.same, result.still])
            expect(Math.abs(await value(none))).toBeLessThan(1e-6);
        }),
      ));
  });
