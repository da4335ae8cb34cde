import { availableParallelism } from 'node:os';
import { configDefaults, defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** Tests of functions: they leave nothing behind in their process, so that the next file finds its imports loaded. */
const PURE = [
  'datasets',
  'engine',
  'formats',
  'foundation',
  'golden',
  'operators',
  'organism',
  'recipes',
  'report',
  'streams',
  'sweeps',
  'testing',
];

/** In these folders, those that measure or fill their process, load what cannot be loaded twice, or start others. */
const NOT_PURE = [
  'engine/engine',
  'engine/resident',
  'engine/tfjs',
  'engine/webgpu',
  'engine/machine/precisions',
  'engine/models/load-halves',
  'recipes/run',
].map((name) => `tests/${name}.test.ts`);

/** What takes longest, so that no worker is left alone with it at the end. */
const LONGEST = ['parity/lat', 'commands/resume', 'endurance/', 'recipes/run', 'commands/', 'fleet/', 'cli'];

/** The longest first, and files that share a process last, one after the other. */
class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const rank = ({ moduleId, project }: TestSpecification): number => {
      const at = LONGEST.findIndex((name) => moduleId.includes(`/tests/${name}`));
      return project.name === 'pure' ? LONGEST.length + 1 : at < 0 ? LONGEST.length : at;
    };
    return (await super.sort(files)).toSorted((a, b) => rank(a) - rank(b));
  }
}

export default defineConfig({
  // The package by its own name, as its users import it.
  resolve: {
    alias: [
      { find: /^latstream$/, replacement: `${import.meta.dirname}/index.ts` },
      { find: /^latstream\/testing$/, replacement: `${import.meta.dirname}/testing/index.ts` },
    ],
  },
  test: {
    setupFiles: ['tests/setup.ts'],
    pool: 'forks',
    // Even on two cores: many files wait for processes that they started.
    maxWorkers: Math.max(3, availableParallelism() - 1),
    testTimeout: 120_000,
    hookTimeout: 120_000,
    sequence: { sequencer: LongestFirst },
    projects: [
      {
        extends: true,
        test: {
          name: 'pure',
          include: [`tests/{${PURE.join(',')}}/**/*.test.ts`],
          exclude: [...configDefaults.exclude, ...NOT_PURE],
          isolate: false,
        },
      },
      {
        extends: true,
        test: {
          name: 'own process',
          include: [`tests/!(${PURE.join('|')})/**/*.test.ts`, 'tests/*.test.ts', ...NOT_PURE],
        },
      },
    ],
  },
});
