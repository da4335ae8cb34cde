/** @file Adapter folders as PEFT keeps them: `adapter_config.json` and `adapter_model.safetensors`. */
import { access, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { complain, parseJson } from '../../foundation/index.js';
import { readSafetensors, readText, writeAtomically, writeSafetensors } from '../../formats/index.js';
import type { HostTensor } from '../tensor.js';
import { checkTensors } from './load.js';
import { adaptedModules, adapterShapes, parseProjection, projectionNames, type LoraConfig } from './lora.js';
import type { ModelConfig } from './model-config.js';
import type { Linear } from './modules.js';

/** Adapters in host memory, with what is needed to apply them. */
export interface Adapters {
  readonly lora: LoraConfig;
  /** `model.layers.0.self_attn.q_proj.lora_A` [rank,in], `….lora_B` [out,rank]. */
  readonly adapters: Readonly<Record<string, HostTensor>>;
}

const WEIGHTS = 'adapter_model.safetensors';
const CONFIG = 'adapter_config.json';
/** PEFT wraps the model twice. */
const PREFIX = 'base_model.model.';

/**
 * Writes a folder that `peft.PeftModel.from_pretrained` loads for the model of a configuration.
 * @param baseModel what PEFT should say the adapters belong to.
 */
export async function writeAdapters(
  directory: string,
  config: ModelConfig,
  { lora, adapters }: Adapters,
  baseModel = '',
): Promise<void> {
  await mkdir(directory, { recursive: true });
  const named = Object.entries(adapters).map(([name, tensor]) => [`${PREFIX}${name}.weight`, tensor]);
  await writeSafetensors(join(directory, WEIGHTS), Object.fromEntries(named) as Record<string, HostTensor>, {
    metadata: { format: 'pt' },
  });
  const chosen = lora.projections.flatMap((name) => parseProjection(config, name));
  const json = {
    peft_type: 'LORA',
    task_type: 'CAUSAL_LM',
    base_model_name_or_path: baseModel,
    r: lora.rank,
    lora_alpha: lora.alpha,
    lora_dropout: 0,
    target_modules: namesOf(config, chosen),
    bias: 'none',
    fan_in_fan_out: chosen.some(({ inputsFirst }) => inputsFirst),
    inference_mode: true,
    init_lora_weights: true,
    modules_to_save: null,
    use_rslora: false,
    use_dora: false,
  };
  await writeAtomically(join(directory, CONFIG), [`${JSON.stringify(json, null, 2)}\n`]);
}

/**
 * Reads a PEFT folder for a model. Rank-stabilised scaling (α/√r) is expressed as an equal α.
 * @throws MODEL_FILE_MISSING, PEFT_CONFIG, PEFT_UNSUPPORTED, LORA_UNKNOWN_PROJECTION, MODEL_MISSING_TENSOR,
 *   MODEL_TENSOR_SHAPE, and what `readSafetensors` throws.
 */
export async function readAdapters(directory: string, config: ModelConfig): Promise<Adapters> {
  const settings = await readSettings(join(directory, CONFIG));
  const path = join(directory, WEIGHTS);
  await access(path).catch((error: unknown) => missing(path, error));
  const { tensors } = await readSafetensors(path);
  const adapters = Object.fromEntries(
    Object.entries(tensors).map(([name, tensor]) => [plainName(name, path), tensor]),
  );
  const present = new Set(Object.keys(adapters).map((name) => name.replace(/\.lora_[AB]$/, '')));
  const all = adaptedModules(config, projectionNames(config));
  const strangers = [...present].filter((name) => !all.has(name));
  const found = [...present].flatMap((name) => all.get(name) ?? []);
  const lora = { ...settings, projections: namesOf(config, found) };
  const known = Object.entries(adapterShapes(config, lora)).filter(([name]) =>
    present.has(name.replace(/\.lora_[AB]$/, '')),
  );
  if (strangers.length > 0 || present.size === 0)
    complain({
      code: 'MODEL_MISSING_TENSOR',
      owner: `adapters ${path}`,
      expected: `adapters of a model of ${config.layers} layers`,
      got: strangers[0] ?? 'none',
      hint: 'use adapters that were trained on this model',
    });
  return { lora, adapters: checkTensors(adapters, Object.fromEntries(known), `adapters ${path}`) };
}

/** Names of modules as PEFT takes them: ends of their paths. */
function namesOf(config: ModelConfig, chosen: readonly Linear[]): string[] {
  const { linears } = config.modules;
  return projectionNames(config).filter((_, index) => chosen.includes(linears[index] as Linear));
}

function plainName(name: string, path: string): string {
  const [, plain] = /^base_model\.model\.(.+\.lora_[AB])\.weight$/.exec(name) ?? [];
  return plain ?? unsupported(path, `tensors named ${PREFIX}….lora_A.weight or ….lora_B.weight`, name);
}

function unsupported(path: string, expected: string, got: string): never {
  return complain({
    code: 'PEFT_UNSUPPORTED',
    owner: `adapters ${path}`,
    expected,
    got,
    hint: 'export plain LoRA adapters',
  });
}

/** Settings that change what an adapter computes, and the values under which it is plain LoRA. */
const PLAIN: Readonly<Record<string, (value: unknown) => boolean>> = {
  peft_type: (value) => value === 'LORA',
  bias: (value) => value === undefined || value === 'none',
  use_dora: (value) => !value,
  rank_pattern: isEmpty,
  alpha_pattern: isEmpty,
  modules_to_save: (value) => value === undefined || value === null || isEmpty(value),
};

function isEmpty(value: unknown): boolean {
  return value === undefined || value === null || Object.keys(value).length === 0;
}

async function readSettings(path: string): Promise<{ rank: number; alpha: number }> {
  const text = await readText(path).catch((error: unknown) => missing(path, error));
  let json: Readonly<Record<string, unknown>> | null;
  try {
    json = parseJson(text) as Readonly<Record<string, unknown>> | null;
  } catch (error) {
    return badConfig(path, 'JSON', (error as Error).message);
  }
  if (typeof json !== 'object' || json === null) return badConfig(path, 'a JSON object', text.slice(0, 80));
  for (const [key, plain] of Object.entries(PLAIN))
    if (!plain(json[key])) unsupported(path, `plain LoRA`, `${key} = ${said(json[key])}`);
  const { r: rank, lora_alpha: alpha } = json;
  if (typeof rank !== 'number' || !Number.isInteger(rank) || rank < 1)
    return badConfig(path, 'r, a positive whole number', said(rank));
  if (typeof alpha !== 'number' || !Number.isFinite(alpha))
    return badConfig(path, 'lora_alpha, a number', said(alpha));
  return { rank, alpha: json['use_rslora'] === true ? alpha * Math.sqrt(rank) : alpha };
}

function said(value: unknown): string {
  return value === undefined ? 'nothing' : JSON.stringify(value).slice(0, 80);
}

function badConfig(path: string, expected: string, got: string): never {
  return complain({
    code: 'PEFT_CONFIG',
    owner: `adapters ${path}`,
    expected,
    got,
    hint: 'use the adapter_config.json that came with the adapters',
  });
}

function missing(path: string, cause: unknown): never {
  return complain(
    {
      code: 'MODEL_FILE_MISSING',
      owner: `adapters ${path}`,
      expected: 'a file that can be read',
      got: (cause as NodeJS.ErrnoException).code ?? String(cause),
      hint: `name a folder with ${CONFIG} and ${WEIGHTS}`,
    },
    { cause },
  );
}
