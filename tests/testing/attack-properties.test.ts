/** @file The exported properties: right attacks obey them, broken ones do not, and a failure says how to see it again. */
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { createEngine, onnxruntimeExecutor } from '../../engine/index.js';
import { createAttack, type AttackConfig } from '../../operators/index.js';
import {
  attackConfigs,
  attackProperties,
  type AttackPropertyOptions,
  type AttackSetting,
  type LawName,
} from '../../testing/index.js';
import { BROKEN, right } from './broken-attacks.js';

const engine = createEngine(onnxruntimeExecutor({ threads: 1 }));
afterAll(() => engine.dispose());

const SITES = ['embedding', 'layers.0.q', 'layers.0.residual', 'layers.1.mlp'];

/** The laws that do not hold, by name, each with what its check rejects with. */
async function broken(make: Parameters<typeof attackProperties>[0], options: AttackPropertyOptions) {
  const failures = new Map<string, Error>();
  for (const { name, check } of attackProperties(make, { engine, ...options }))
    await check().catch((error: unknown) => failures.set(name, error as Error));
  return failures;
}

/** Why rounding may decide a step of such an attack, whatever the batch; undefined where it may not. */
function undecidedBy({ step, adversary }: Partial<AttackConfig>): string | undefined {
  if (step === 'sign') return 'the sign of a gradient that is 0 but for rounding is any';
  if (adversary?.kind === 'low-rank' && adversary.rank === 1)
    return 'in a ball the one component has a direction alone: what it reads of the activation has no gradient';
  return undefined;
}

describe('the properties of attacks', () => {
  it('hold for every configuration that does not contradict itself', () =>
    fc.assert(
      fc.asyncProperty(attackConfigs(SITES), async (config) => {
        const make = ({ engine, model, epsilon }: AttackSetting) =>
          createAttack(engine, model, { ...config, epsilon });
        const ball = { per: config.per ?? 'token', radius: config.radius ?? 'absolute' } as const;
        const undecided = undecidedBy(config);
        const except = {
          lowersItsLoss: 'one iteration may overshoot, and noise may climb',
          ...(undecided && { partsLikeWhole: undecided }),
        };
        expect(await broken(make, { ball, except, runs: 2 })).toEqual(new Map());
      }),
      { numRuns: 4 },
    ));
});

describe('an attack that', () => {
  for (const [what, make, law, ...others] of BROKEN)
    it(`${what} is caught by ${law}`, async () => {
      const failures = await broken(make, { runs: 8 });
      expect([...failures.keys()]).toContain(law);
      expect([...failures.keys()].filter((name) => ![law, ...others].includes(name as LawName))).toEqual([]);
      expect(failures.get(law)?.message).toContain('law: expected');
    });
});

describe('a law that is broken', () => {
  const [, make] = BROKEN.find(([what]) => what === 'forgets a row')!;
  const check = (options: AttackPropertyOptions) =>
    attackProperties(make, { engine, ...options })
      .find(({ name }) => name === 'aliveInEveryPart')!
      .check();

  it('is shown by the smallest case, as code that makes it again', async () => {
    const message = await check({}).catch((error: unknown) => (error as Error).message);
    const smallest =
      /"model":tinyModel\('llama', 0\),"batch":spare\(packed\(\[(.*)\], (\{.*\})\), \[\[\],\[\],\[\]\]\)/;
    expect(message).toMatch(smallest);
    expect(JSON.parse(`[${smallest.exec(message as string)![1]!}]`)).toEqual(
      Array.from({ length: 3 }, () => ({ prompt: [0, 1], adversarial: [1], desired: [2] })),
    );
  });

  it('is found again, at once, by the seed and path that it printed', async () => {
    const message = await check({}).catch((error: unknown) => (error as Error).message);
    const [, seed, path] = /seed: (-?\d+), path: "([\d:]+)"/.exec(message as string)!;
    const again = await check({ seed: Number(seed), path: path! }).catch(
      (error: unknown) => (error as Error).message,
    );
    expect(again).toContain('Property failed after 1 tests');
    expect(/Counterexample: .*/.exec(again as string)![0]).toBe(
      /Counterexample: .*/.exec(message as string)![0],
    );
  });
});

describe('a law that is excepted', () => {
  it('is left out', () => {
    const names = attackProperties(right, { except: { reportsSlack: 'it has no step size' } }).map(
      ({ name }) => name,
    );
    expect(names).toHaveLength(9);
    expect(names).not.toContain('reportsSlack');
  });

  it.each([{ reportsSlack: ' ' }, { staysInside: 'misspelt' }])('needs a name and a reason: %o', (except) => {
    expect(() => attackProperties(right, { except })).toThrow(
      expect.objectContaining({ code: 'LAW_EXCEPTION' }),
    );
  });
});
