/** @file The attacks that an evaluation asks for, by name. */
import { ablation } from './adaptive/ablation.js';
import { pair } from './adaptive/pair.js';
import { softPrompt } from './adaptive/soft-prompt.js';
import { autoprompt, gcg } from './adaptive/token-attack.js';
import type { EvaluateConfig, LatentGrid } from './config.js';
import { latentMethod } from './latent-method.js';
import type { Method, Subject } from './method.js';
import { manyShot, prefilled, reworded } from './worded-methods.js';

/** In the order in which they are reported. Those that look inside only for subjects that let them. */
export function methodsOf(config: EvaluateConfig, subject: Subject): Method[] {
  const { latent } = config;
  return [
    ...(config.direct ? [prefilled('direct', 0)] : []),
    ...config.prefill.map((tokens) => prefilled(`prefill${tokens}`, tokens)),
    ...(config.manyShot ?? []).map((shots) => manyShot(`manyShot${shots}`, shots)),
    ...Object.entries(config.wordings ?? {}).map(([name, wording]) => reworded(name, wording)),
    ...(latent && subject.perturb
      ? [
          latentMethod('latent', latent),
          ...combinations(config.grid).map(({ sites, epsilon }) =>
            latentMethod(`latent[${sites.join('+')}; ${epsilon}]`, { ...latent, sites, epsilon }),
          ),
        ]
      : []),
    ...adaptiveMethods(config, subject),
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

function combinations(grid: LatentGrid | undefined): { sites: readonly string[]; epsilon: number }[] {
  return (grid?.sites ?? []).flatMap((sites) => (grid?.epsilon ?? []).map((epsilon) => ({ sites, epsilon })));
}
