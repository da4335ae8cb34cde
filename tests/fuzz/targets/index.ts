/** @file Every reader that is fuzzed. */
import type { Target } from '../target.js';
import { adapter } from './adapter.js';
import { arrow } from './arrow.js';
import { gguf } from './gguf.js';
import { model } from './model.js';
import { packed } from './packed.js';
import { parquet } from './parquet.js';
import { recipe } from './recipe.js';
import { records } from './records.js';
import { safetensors } from './safetensors.js';
import { template } from './template.js';
import { tokenizer } from './tokenizer.js';

export const TARGETS: readonly Target[] = [
  safetensors,
  model,
  gguf,
  adapter,
  arrow,
  parquet,
  records,
  packed,
  recipe,
  tokenizer,
  template,
];
