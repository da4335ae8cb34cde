/** @file The committed artefacts are what the generator writes. */
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { generate } from '../../organism/generate.js';

const embedded = join(import.meta.dirname, '..', '..', 'organism');

test('the generator writes the committed tables and tokenizer, byte for byte', async () => {
  const fresh = await mkdtemp(join(tmpdir(), 'organism-'));
  try {
    await generate(fresh);
    const tables = (await readdir(join(embedded, 'data'))).map((file) => join('data', file));
    expect(tables.length).toBe(11);
    for (const file of [...tables, 'model/tokenizer.json', 'model/tokenizer_config.json']) {
      const [committed, written] = await Promise.all(
        [embedded, fresh].map((folder) => readFile(join(folder, file))),
      );
      expect(written!.equals(committed!), file).toBe(true);
    }
  } finally {
    await rm(fresh, { recursive: true });
  }
});
