/** @file Changes of a run's settings while it trains, kept in its arm's directory with the step that each began at. */
import { mkdir, readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { writeAtomically } from '../../formats/index.js';
import type { Attack, LiveSettings, Settings } from '../../operators/index.js';

/** What was asked for and holds nowhere yet. */
export class AskedSettings {
  #asked: Settings | undefined;

  /** @param told is told what was taken, once that is on disk */
  constructor(private readonly told: (taken: Settings) => void = () => undefined) {}

  ask(settings: Settings): void {
    this.#asked = { ...this.#asked, ...settings };
  }

  async take(keep: (asked: Settings) => Promise<void>): Promise<void> {
    const asked = this.#asked;
    if (!asked) return;
    await keep(asked);
    if (this.#asked === asked) this.#asked = undefined;
    this.told(asked);
  }
}

interface Change {
  /** The first step that it held for. */
  readonly from: number;
  readonly settings: Settings;
}

const JOURNAL = 'settings.json';

export class SettingsJournal implements LiveSettings {
  #changes: readonly Change[] | undefined;
  readonly #path: string;

  constructor(
    directory: string,
    private readonly asked: AskedSettings,
  ) {
    this.#path = join(directory, JOURNAL);
  }

  async begin(step: number): Promise<{ readonly settings: Settings; readonly changed: boolean }> {
    this.#changes ??= await read(this.#path);
    await this.asked.take(async (settings) => {
      this.#changes = [...(this.#changes ?? []), { from: step, settings }];
      await mkdir(dirname(this.#path), { recursive: true }); // an arm's first checkpoint may not have been yet
      await writeAtomically(this.#path, [`${JSON.stringify(this.#changes)}\n`]);
    });
    return { settings: this.at(step), changed: this.#changes.some(({ from }) => from === step) };
  }

  /** What holds for a step that has begun; of two changes the later one, whichever steps they began at. */
  at(step: number): Settings {
    const begun = (this.#changes ?? []).filter(({ from }) => from <= step);
    return Object.assign({}, ...begun.map(({ settings }) => settings)) as Settings;
  }

  /** An attack whose radius is a setting. @param make gives it for a radius; the last one is kept */
  attack(usual: number, make: (epsilon: number) => Attack): Attack {
    let made = { epsilon: usual, attack: make(usual) };
    return (weights, batch, key) => {
      const { epsilon = usual } = this.at(key.step);
      if (epsilon !== made.epsilon) made = { epsilon, attack: make(epsilon) };
      return made.attack(weights, batch, key);
    };
  }
}

async function read(path: string): Promise<readonly Change[]> {
  const text = await readFile(path, 'utf8').catch((error: unknown) => {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return '[]';
    throw error;
  });
  return JSON.parse(text) as Change[];
}
