import { Command } from 'commander';
import { describe, expect, it } from 'vitest';
import { registerCommands } from './command-table.js';

async function namesOf(named: string | undefined): Promise<readonly string[]> {
  const program = new Command();
  await registerCommands(program, named);
  return program.commands.map((command) => command.name());
}

describe('the table of commands', () => {
  it('has every command, and loads each by its name without all the others', async () => {
    const all = await namesOf(undefined);
    expect(new Set(all).size).toBe(all.length);
    for (const name of all) {
      const alone = await namesOf(name);
      expect(alone).toContain(name);
      expect(alone.length).toBeLessThan(8);
    }
  });

  it('has all of them for a word that names none', async () => {
    expect(await namesOf('rnu')).toEqual(await namesOf(undefined));
  });
});
