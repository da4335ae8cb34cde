import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';

export default defineConfig({
  // The package by its own name, as its users import it.
  resolve: {
    alias: [
      { find: /^latstream$/, replacement: `${import.meta.dirname}/index.ts` },
      { find: /^latstream\/testing$/, replacement: `${import.meta.dirname}/testing/index.ts` },
    ],
  },
  test: {
    include: ['tests/**/*.test.ts'],
    setupFiles: ['tests/setup.ts'],
    pool: 'forks',
    // Even on two cores: many files wait for processes that they started.
    maxWorkers: Math.max(2, availableParallelism() - 1),
    testTimeout: 120_000,
    hookTimeout: 120_000,
  },
});
