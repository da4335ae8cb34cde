#!/usr/bin/env node
/** @file The command line: parses, runs one command, and ends with an exit code that means something. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { outliveReaders, packageRoot, runCli } from './commands/index.js';

const { version } = JSON.parse(readFileSync(join(packageRoot(), 'package.json'), 'utf8')) as {
  version: string;
};
outliveReaders();
process.exitCode = await runCli(process.argv, version);
