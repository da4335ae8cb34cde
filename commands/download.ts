/** @file `latstream download`: a model or adapter of the hub into the cache of this machine. */
import type { Command } from 'commander';
import { download } from './fetch.js';

interface DownloadOptions {
  readonly adapter?: boolean;
  readonly json?: boolean;
}

export function addDownload(program: Command): void {
  program
    .command('download')
    .description(
      "fetch a model from the hub into the cache that Hugging Face's tools share, and print its folder",
    )
    .argument('<reference>', 'hf:ORG/NAME[@REVISION], or hf:ORG/NAME/FILE.gguf[@REVISION]')
    .option('--adapter', 'it is an adapter in PEFT format')
    .option('--json', 'print {"path", "commit", "reference"}; the reference is at its commit')
    .action(async (reference: string, options: DownloadOptions) => {
      const { path, commit, pinned } = await download(reference, options.adapter ? 'adapter' : 'model');
      process.stdout.write(
        options.json ? `${JSON.stringify({ path, commit, reference: pinned })}\n` : `${path}\n`,
      );
    });
}
