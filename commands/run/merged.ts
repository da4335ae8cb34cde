/** @file The model of a stage with an adapter folder added to its weights, as a folder of its own. */
import { mkdir } from 'node:fs/promises';
import { mergedParameters, readAdapters, saveModel } from '../../engine/models/index.js';
import { copyCompanions } from './companions.js';
import { downloaded, type Stage } from './stage.js';

/** Writes it, tokenizer and all. */
export async function writeMerged(stage: Stage, adapter: string, out: string): Promise<void> {
  const { engine, config } = stage;
  const parameters = await downloaded(stage, stage.parameters);
  const merged = await mergedParameters(engine, config, parameters, await readAdapters(adapter, config));
  await mkdir(out, { recursive: true });
  await saveModel(out, { config, parameters: merged });
  await copyCompanions(stage.directory, out);
}
