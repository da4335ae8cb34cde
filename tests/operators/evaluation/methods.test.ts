/** @file Attacks of an evaluation: what the model is given under each, and what counts as getting through somewhere. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { evaluate, type AttackConfig, type Outcome } from '../../../operators/index.js';
import { asked, config, latent, question, scripted, Words } from './scripted.js';

const plain = { ...config, direct: false, prefill: [] };

describe('evaluate', () => {
  it('puts other requests, each with its compliant answer, before the request', async () => {
    const words = new Words();
    const harmful = ['a', 'b', 'c'].map((name) => question(words, name, `yes ${name}`));
    const { subject, asked: given } = scripted(words, () => '?');
    await evaluate(subject, asked(words, { harmful }), { ...plain, manyShot: [1, 8] });
    expect(given.flat()).toEqual([
      'b yes b a',
      'c yes c b',
      'a yes a c',
      'b yes b c yes c a',
      'c yes c a yes a b',
      'a yes a b yes b c',
    ]);
  });

  it('shows as many of them as the context holds', async () => {
    const words = new Words();
    const harmful = ['a', 'b', 'c', 'd', 'e'].map((name) => question(words, name, `yes ${name}`));
    const { subject, asked: given } = scripted(words, () => '?');
    const context = config.maxNewTokens + 7;
    await evaluate(subject, asked(words, { harmful, context }), { ...plain, manyShot: [4] });
    expect(given.flat()[0]).toBe('b yes b c yes c a');
    const narrow = asked(words, { harmful, context: config.maxNewTokens });
    await evaluate(subject, narrow, { ...plain, manyShot: [4] });
    expect(given.flat().at(-1)).toBe('e');
  });

  it('asks in other words, and with a trigger behind the request', async () => {
    const words = new Words();
    const harmful = [question(words, 'cost $& now', 'yes')];
    const { subject, asked: given } = scripted(words, () => '?');
    const wordings = { story: 'tell of {prompt} twice {prompt}', trigger: '{prompt} zzz' };
    const { attacks } = await evaluate(subject, asked(words, { harmful }), { ...plain, wordings });
    expect(given.flat()).toEqual(['tell of cost $& now twice cost $& now', 'cost $& now zzz']);
    expect(Object.keys(attacks)).toEqual(['story', 'trigger', 'atLeastOne']);
  });

  it('attacks at every combination of sites and radii, otherwise as the latent attack', async () => {
    const words = new Words();
    const harmful = [question(words, 'a', 'yes a')];
    const { subject } = scripted(words, () => '?');
    const perturbed: AttackConfig[] = [];
    const perturb: typeof subject.perturb = (attack, batch) => {
      perturbed.push(attack);
      return subject.perturb!(attack, batch);
    };
    const grid = { sites: [['embedding'], ['layers.1.mlp', 'layers.2.mlp']], epsilon: [1, 2] };
    const { attacks } = await evaluate({ ...subject, perturb }, asked(words, { harmful }), {
      ...plain,
      latent,
      grid,
    });
    expect(Object.keys(attacks)).toEqual([
      'latent',
      'latent[embedding; 1]',
      'latent[embedding; 2]',
      'latent[layers.1.mlp+layers.2.mlp; 1]',
      'latent[layers.1.mlp+layers.2.mlp; 2]',
      'atLeastOne',
    ]);
    expect(perturbed.at(-1)).toEqual({ ...latent, sites: ['layers.1.mlp', 'layers.2.mlp'], epsilon: 2 });
  });

  it('attacks for every number of iterations that is given, with the learning rate of the latent attack', async () => {
    const words = new Words();
    const harmful = [question(words, 'a', 'yes a')];
    const { subject } = scripted(words, () => '?');
    const perturbed: AttackConfig[] = [];
    const perturb: typeof subject.perturb = (attack, batch) => {
      perturbed.push(attack);
      return subject.perturb!(attack, batch);
    };
    const grid = { sites: [['embedding']], epsilon: [0.3, 1], iterations: [4, 48] };
    const stepped = { ...latent, learningRate: 0.5 };
    const given = { ...plain, latent: stepped, grid };
    const { attacks } = await evaluate({ ...subject, perturb }, asked(words, { harmful }), given);
    expect(Object.keys(attacks).slice(1, -1)).toEqual([
      'latent[embedding; 0.3; 4]',
      'latent[embedding; 0.3; 48]',
      'latent[embedding; 1; 4]',
      'latent[embedding; 1; 48]',
    ]);
    expect(perturbed[2]).toEqual({ ...stepped, epsilon: 0.3, iterations: 48 });
  });

  it('counts a request as complied with where any attack succeeds, and as refused where all are refused', () =>
    fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(outcome(), outcome()), { minLength: 1, maxLength: 6 }),
        async (wanted) => {
          const words = new Words();
          const harmful = wanted.map((_, at) => question(words, `r${at}`, `secret${at}`));
          const says = {
            refuse: () => 'I cannot',
            incoherent: () => '?',
            comply: (at: number) => `secret${at}`,
          };
          const { subject } = scripted(words, (prompt) => {
            const at = Number(/r(\d+)/.exec(prompt)?.[1]);
            return says[wanted[at]![prompt.endsWith(' x') ? 1 : 0]](at);
          });
          const wordings = { worded: '{prompt} x' };
          const { attacks } = await evaluate(subject, asked(words, { harmful }), {
            ...plain,
            direct: true,
            wordings,
          });
          expect(attacks['atLeastOne']?.outcomes).toEqual(
            wanted.map((both) =>
              both.includes('comply')
                ? 'comply'
                : both.every((each) => each === 'refuse')
                  ? 'refuse'
                  : 'incoherent',
            ),
          );
        },
      ),
    ));

  it('asks further tables, and tells of every answer and of its progress', async () => {
    const words = new Words();
    const benign = [question(words, 'x', 'one', 'one')];
    const probes = { facts: [question(words, 'y', 'two', 'two'), question(words, 'z', 'three', 'three')] };
    const { subject } = scripted(words, (prompt) =>
      prompt === 'z' ? 'I cannot' : prompt === 'x' ? 'one' : 'two',
    );
    const answers: unknown[] = [];
    const progress: number[][] = [];
    const found = await evaluate(subject, asked(words, { benign, probes }), plain, {
      onAnswer: ({ under, index, request, outcome }) => answers.push([under, index, request, outcome]),
      onProgress: (done, total) => progress.push([done, total]),
    });
    expect(found.probes?.['facts']).toMatchObject({ n: 2, correct: 1, refused: 0.5 });
    expect(answers).toEqual([
      ['benign', 0, 'x', 'comply'],
      ['facts', 0, 'y', 'comply'],
      ['facts', 1, 'z', 'refuse'],
    ]);
    expect(progress).toEqual([
      [1, 3],
      [3, 3],
    ]);
  });
});

function outcome(): fc.Arbitrary<Outcome> {
  return fc.constantFrom('comply', 'refuse', 'incoherent');
}
