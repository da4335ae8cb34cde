/** @file What losses of pair rows there are, and what each needs to know: completions, a reference, settings. */
import type { Completion } from '../../datasets/index.js';
import { ops, type Tensor } from '../../engine/index.js';
import type { Objectives } from '../config.js';
import { away, toward, type Labels } from './losses.js';
import { dpo, ipo, npo } from './preference.js';

// B row, N label, T column

/** Which completion a loss goes toward, and which it goes away from. */
export type Aims = Readonly<Record<'toward' | 'away', Completion>>;
export type Aim = keyof Aims;

/** An attack goes toward the adversarial completion and away from the desired one. */
export const ATTACK_AIMS: Aims = { toward: 'adversarial', away: 'desired' };
/** A defence, the other way round. */
export const DEFENCE_AIMS: Aims = { toward: 'desired', away: 'adversarial' };

/** What losses are made of. */
interface Found {
  /** Log-odds [N] of the labels of a completion. */
  readonly odds: (aim: Aim) => Tensor;
  readonly labels: (aim: Aim) => Labels;
  /** Log-ratios [B] of a completion to the reference. */
  readonly ratios: (aim: Aim) => Tensor;
  /** A loss's setting, a scalar: `beta`. */
  readonly setting: (name: string) => Tensor;
  /** The mean over the rows of the whole batch. */
  readonly mean: (x_B: Tensor) => Tensor;
}

interface Objective {
  readonly about: readonly Aim[];
  /** Whether it needs the reference's log-probabilities. */
  readonly compares: boolean;
  readonly of: (found: Found) => Tensor;
}

const margins = ({ ratios }: Found): Tensor => ops.sub(ratios('toward'), ratios('away'));

const OBJECTIVES = {
  toward: {
    about: ['toward'],
    compares: false,
    of: ({ odds, labels }) => toward(odds('toward'), labels('toward')),
  },
  away: {
    about: ['away'],
    compares: false,
    of: ({ odds, labels }) => away(odds('away'), labels('away')),
  },
  ga: {
    about: ['away'],
    compares: false,
    of: ({ odds, labels }) => ops.neg(toward(odds('away'), labels('away'))),
  },
  dpo: {
    about: ['toward', 'away'],
    compares: true,
    of: (found) => found.mean(dpo(margins(found), found.setting('beta'), found.setting('labelSmoothing'))),
  },
  ipo: {
    about: ['toward', 'away'],
    compares: true,
    of: (found) => found.mean(ipo(margins(found), found.setting('beta'))),
  },
  npo: {
    about: ['away'],
    compares: true,
    of: (found) => found.mean(npo(found.ratios('away'), found.setting('beta'))),
  },
} as const satisfies Record<string, Objective>;

export type PairLoss = keyof typeof OBJECTIVES;

/** The losses of pair rows, in the order in which they are reported. */
export const PAIR_LOSSES = Object.keys(OBJECTIVES) as readonly PairLoss[];

export function isPairLoss(name: string): name is PairLoss {
  return name in OBJECTIVES;
}

/** The completions that losses are about, each once. */
export function completionsOf(names: readonly PairLoss[], aims: Aims): Completion[] {
  return aimsOf(names).map((aim) => aims[aim]);
}

export function aimsOf(names: readonly PairLoss[]): Aim[] {
  return (['toward', 'away'] as const).filter((aim) =>
    names.some((name) => (OBJECTIVES[name].about as readonly Aim[]).includes(aim)),
  );
}

/** True where a loss is a mean over rows that compare with the reference; the others are sums over weighted labels. */
export function compares(name: PairLoss): boolean {
  return OBJECTIVES[name].compares;
}

/** The completions whose log-probabilities under the reference losses ask for. */
export function comparedCompletions(names: readonly PairLoss[], aims: Aims): Completion[] {
  return completionsOf(names.filter(compares), aims);
}

/** What the papers and the published code of arXiv 2407.15549 use where a recipe says nothing. */
const DEFAULTS: Required<Pick<Objectives, 'dpo' | 'ipo' | 'npo'>> = {
  dpo: { beta: 0.3, labelSmoothing: 0 },
  ipo: { beta: 0.3 },
  npo: { beta: 0.1 },
};

/** The settings of the losses that are used, `dpo.beta` and the like. */
export function settingsOf(names: readonly string[], objectives: Objectives = {}): Record<string, number> {
  const settings: Record<string, number> = {};
  for (const name of Object.keys(DEFAULTS) as (keyof typeof DEFAULTS)[])
    if (names.includes(name))
      for (const [key, value] of Object.entries({ ...DEFAULTS[name], ...objectives[name] }))
        settings[`${name}.${key}`] = value;
  return settings;
}

/** One loss, a scalar. @param found without the loss's settings, which are looked up among all. */
export function objective(
  name: PairLoss,
  found: Omit<Found, 'setting'>,
  settings: Readonly<Record<string, Tensor>>,
): Tensor {
  return (OBJECTIVES[name] as Objective).of({
    ...found,
    setting: (key) => settings[`${name}.${key}`] as Tensor,
  });
}
