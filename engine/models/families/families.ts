/** @file The families that the decoder computes. No tensors. */
import { gemma2 } from './gemma2.js';
import { gpt2 } from './gpt2.js';
import { gptNeo } from './gpt-neo.js';
import { gptNeoX } from './gpt-neox.js';
import { llama, mistral, qwen2, qwen3 } from './llama.js';
import { phi3 } from './phi3.js';
import type { Family } from './family.js';

export const families: readonly Family[] = [
  llama,
  mistral,
  qwen2,
  qwen3,
  gemma2,
  phi3,
  gpt2,
  gptNeoX,
  gptNeo,
];
