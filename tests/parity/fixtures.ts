/** @file Where the parity fixtures are, and what is in them. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ARCHITECTURES } from '../../engine/index.js';

/** `LATSTREAM_FIXTURES`, or the fixtures of this repository. */
export const fixtures = process.env['LATSTREAM_FIXTURES'] ?? join('tests', 'fixtures');

/** A checkpoint folder; `skip` says why it cannot be tested, or is null. */
export interface Fixture {
  readonly name: string;
  readonly directory: string;
  readonly skip: string | null;
}

/** The checkpoint folders below `fixtures/kind`; `needs` are the files that a test cannot do without. */
export function checkpoints(kind: string, needs: readonly string[]): Fixture[] {
  const root = join(fixtures, kind);
  if (!existsSync(root)) return [];
  return readdirSync(root, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() || entry.isSymbolicLink())
    .map(({ name }) => {
      const directory = join(root, name);
      const skip = whyNot(directory, needs);
      if (skip !== null) process.stdout.write(`${kind}/${name} is skipped: ${skip}\n`);
      return { name, directory, skip };
    });
}

/** What a GGUF file holds. */
const PACKED = ['config.json', 'model.safetensors', 'tokenizer.json'];

function whyNot(directory: string, needs: readonly string[]): string | null {
  const inside = readdirSync(directory);
  // A GGUF file is a model folder's equal; what it holds, loading it tells.
  const gguf = inside.filter((file) => file.endsWith('.gguf')).length === 1;
  const there = (file: string): boolean => inside.includes(file) || (gguf && PACKED.includes(file));
  const missing = needs.filter((file) => !there(file) && !there(`${file}.index.json`));
  if (missing.length > 0) return `no ${missing.join(', ')}`;
  if (!inside.includes('config.json')) return null;
  const { architectures } = JSON.parse(readFileSync(join(directory, 'config.json'), 'utf8')) as {
    architectures?: string[];
  };
  const architecture = architectures?.[0] ?? 'unnamed architecture';
  return ARCHITECTURES.includes(architecture) ? null : `${architecture} is not known yet`;
}
