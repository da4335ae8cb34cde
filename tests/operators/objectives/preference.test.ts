/** @file Losses that compare with a reference, as functions of log-ratios: their formulas, minima and limits. */
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import {
  createEngine,
  float32,
  onnxruntimeExecutor,
  tfjsExecutor,
  valueAndGradients,
  ops,
  type Tensor,
} from '../../../engine/index.js';
import { dpo, ipo, npo } from '../../../operators/objectives/preference.js';

const ROWS = 4;
type Args = { x: Tensor; beta: Tensor; smoothing: Tensor };
const LOSSES: Record<string, (args: Args) => Tensor> = {
  dpo: ({ x, beta, smoothing }) => dpo(x, beta, smoothing),
  ipo: ({ x, beta }) => ipo(x, beta),
  npo: ({ x, beta }) => npo(x, beta),
};

const logSigmoid = (x: number): number => Math.min(x, 0) - Math.log1p(Math.exp(-Math.abs(x)));
const FORMULAS: Record<string, (x: number, beta: number, smoothing: number) => number> = {
  dpo: (x, beta, s) => -(1 - s) * logSigmoid(beta * x) - s * logSigmoid(-beta * x),
  ipo: (x, beta) => (x - 1 / (2 * beta)) ** 2,
  npo: (x, beta) => (-2 / beta) * logSigmoid(-beta * x),
};

const float = (min: number, max: number) =>
  fc.float({ min: Math.fround(min), max: Math.fround(max), noNaN: true });
const xs = fc.array(float(-40, 40), { minLength: ROWS, maxLength: ROWS });
const betas = float(0.05, 2);
const smoothings = float(0, 0.45);

for (const [executor, make] of [
  ['onnxruntime', () => onnxruntimeExecutor({ threads: 1 })],
  ['tfjs', tfjsExecutor],
] as const)
  describe(`preference losses on ${executor}`, () => {
    const engine = createEngine(make());
    afterAll(() => engine.dispose());

    const run = async (name: string, x: number[], beta: number, smoothing = 0) => {
      const definition = {
        name: `preference ${name}`,
        compute: (args: Args) => {
          const values = LOSSES[name]!(args);
          const { gradients } = valueAndGradients(
            (inputs) => ({ loss: ops.sum(LOSSES[name]!({ ...args, x: inputs['x']! })), aux: {} }),
            { x: args.x },
          );
          return { values, slopes: gradients['x']! };
        },
      };
      const { values, slopes } = await engine.run(definition, {
        x: engine.upload(float32([x.length], x)),
        beta: engine.upload(float32([], [beta])),
        smoothing: engine.upload(float32([], [smoothing])),
      });
      return {
        values: [...(await engine.download(values)).data],
        slopes: [...(await engine.download(slopes)).data],
      };
    };

    for (const name of Object.keys(LOSSES))
      it(`${name} is its formula, for all log-ratios and settings`, () =>
        fc.assert(
          fc.asyncProperty(xs, betas, smoothings, async (x, beta, smoothing) => {
            const { values } = await run(name, x, beta, smoothing);
            values.forEach((value, at) => {
              const expected = FORMULAS[name]!(x[at]!, beta, smoothing);
              expect(Math.abs(value - expected)).toBeLessThan(1e-5 * Math.max(1, Math.abs(expected)));
            });
          }),
        ));

    it('dpo is ln 2 where there is no margin, whatever β and smoothing', () =>
      fc.assert(
        fc.asyncProperty(betas, smoothings, async (beta, smoothing) => {
          const { values } = await run('dpo', [0], beta, smoothing);
          expect(values[0]).toBeCloseTo(Math.LN2, 6);
        }),
      ));

    it('ipo is least, 0, at a margin of 1/(2β) and pulls toward it from both sides', () =>
      fc.assert(
        fc.asyncProperty(betas, float(0.01, 5), async (beta, off) => {
          const least = 1 / (2 * beta);
          const { values, slopes } = await run('ipo', [least, least - off, least + off], beta);
          expect(values[0]).toBeLessThan(1e-9);
          expect(slopes[1]).toBeLessThan(0);
          expect(slopes[2]).toBeGreaterThan(0);
        }),
      ));

    it('dpo with smoothing is least where the preference is believed as much as it is given', () =>
      fc.assert(
        fc.asyncProperty(betas, float(0.05, 0.45), async (beta, smoothing) => {
          const { slopes } = await run(
            'dpo',
            [Math.log((1 - smoothing) / smoothing) / beta],
            beta,
            smoothing,
          );
          expect(Math.abs(slopes[0]!)).toBeLessThan(1e-5);
        }),
      ));

    it('the gradient of npo becomes that of gradient ascent as β goes to 0, and fades where it is forgotten', () =>
      fc.assert(
        fc.asyncProperty(fc.array(float(-20, 20), { minLength: ROWS, maxLength: ROWS }), async (x) => {
          const { slopes } = await run('npo', x, 1e-5);
          slopes.forEach((slope) => {
            expect(slope).toBeCloseTo(1, 3);
          });
          const far = await run('npo', [-200], 1);
          expect(far.slopes[0]).toBeLessThan(1e-6);
        }),
      ));
  });
