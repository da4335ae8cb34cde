/** @file The program: whichever command is asked for is there, alone, as it is among all. */
import { describe, expect, it } from 'vitest';
import { program } from '../../commands/index.js';

describe('program', () => {
  it('has for every command asked for the same command as with all loaded, and not all of them', async () => {
    const { commands } = await program('0');
    for (const command of commands) {
      const asked = (await program('0', { only: command.name() })).commands;
      const found = asked.find((each) => each.name() === command.name());
      expect(found?.helpInformation(), command.name()).toBe(command.helpInformation());
      expect(asked.length).toBeLessThan(commands.length);
    }
  });

  it.each([undefined, '--help', 'help', 'trian'])('has all where %s is asked for', async (only) => {
    expect((await program('0', { only })).commands.length).toBeGreaterThan(20);
  });
});
