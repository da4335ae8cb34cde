/** @file The attacks that an evaluation asks for, by name. */
import { ablation } from './adaptive/ablation.js';
import { pair } from './adaptive/pair.js';
import { softPrompt } from './adaptive/soft-prompt.js';
import { autoprompt, gcg } from './adaptive/token-attack.js';
import type { AttackConfig } from '../config.js';
import type { EvaluateConfig, LatentGrid } from './config.js';
import { latentMethod } from './latent-method.js';
import type { Method, Subject } from './method.js';
import { manyShot, prefilled, reworded } from './worded-methods.js';

/** In the order in which they are reported. Those that look inside only for subjects that let them. */
export function methodsOf(config: EvaluateConfig, subject: Subject): Method[] {
  const { latent } = config;
  return [
    ...plainMethods(config),
    ...(config.manyShot ?? []).map((shots) => manyShot(`manyShot${shots}`, shots)),
    ...Object.entries(config.wordings ?? {}).map(([name, wording]) => reworded(name, wording)),
    ...(latent && subject.perturb
      ? [latentMethod('latent', latent), ...gridMethods(latent, config.grid)]
      : []),
    ...adaptiveMethods(config, subject),
  ];
}

/** The request as it is, or with the beginning of an answer: what a model is asked under changed weights, too. */
export function plainMethods({ direct, prefill }: EvaluateConfig): Method[] {
  return [
    ...(direct ? [prefilled('direct', 0)] : []),
    ...prefill.map((tokens) => prefilled(`prefill${tokens}`, tokens)),
  ];
}

/** Those that look at this model, or at what it answered, before they ask. */
function adaptiveMethods(config: EvaluateConfig, subject: Subject): Method[] {
  return [
    ...(config.softPrompt && subject.perturb ? [softPrompt(config.softPrompt)] : []),
    ...(config.gcg && subject.inside ? gcg(config.gcg) : []),
    ...(config.autoprompt && subject.inside ? autoprompt(config.autoprompt) : []),
    ...(config.pair ? [pair(config.pair)] : []),
    ...(config.ablation && subject.inside ? ablation(config.ablation) : []),
  ];
}

/** Named by what they differ in: `latent[embedding; 0.3]`, and `latent[embedding; 0.3; 48]` where iterations are given. */
function gridMethods(latent: AttackConfig, grid: LatentGrid | undefined): Method[] {
  const { sites: places = [], epsilon: radii = [], iterations: lengths = [latent.iterations] } = grid ?? {};
  return places.flatMap((sites) =>
    radii.flatMap((epsilon) =>
      lengths.map((iterations) => {
        const varied = [sites.join('+'), epsilon, ...(grid?.iterations ? [iterations] : [])];
        return latentMethod(`latent[${varied.join('; ')}]`, { ...latent, sites, epsilon, iterations });
      }),
    ),
  );
}
