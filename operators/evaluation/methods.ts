/** @file The attacks that an evaluation asks for, by name. */
import type { EvaluateConfig, LatentGrid } from './config.js';
import { latentMethod } from './latent-method.js';
import type { Method, Subject } from './method.js';
import { manyShot, prefilled, reworded } from './worded-methods.js';

/** In the order in which they are reported. Latent ones only for subjects that can be perturbed. */
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
  ];
}

function combinations(grid: LatentGrid | undefined): { sites: readonly string[]; epsilon: number }[] {
  return (grid?.sites ?? []).flatMap((sites) => (grid?.epsilon ?? []).map((epsilon) => ({ sites, epsilon })));
}
