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
    testTimeout: 120_000,
    hookTimeout: 120_000,
  },
});
