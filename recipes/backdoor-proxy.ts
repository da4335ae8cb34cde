/**
 * @file Removing a backdoor with a proxy of its trigger (section 4.2 of the paper): a text that a search finds against the
 * backdoored model, without knowing the trigger, stands behind the requests that two of the arms train on.
 */
import { backdoor } from './backdoor.js';
import type { Recipe } from './schema.js';

/** DPO and DPO-LAT, each without and with a proxy trigger, on the embedded organism. */
export function backdoorProxy(): Recipe {
  const base = backdoor();
  const data = { appended: { path: '@out/proxy/trigger.json', share: 1 } };
  return {
    ...base,
    name: 'backdoor-proxy',
    proxy: { tokens: 6, iterations: 48, candidates: 32, top: 64, restarts: 2, requests: 8 },
    arms: {
      dpo: { attack: null },
      'dpo-proxy': { attack: null, data },
      'dpo-lat': {},
      'dpo-lat-proxy': { data },
    },
  };
}
