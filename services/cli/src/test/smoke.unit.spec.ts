import { Command } from 'commander';
import { describe, expect, it } from 'vitest';
import { missingPart } from './smoke.js';

describe('missingPart', () => {
  const program = new Command('weft');
  program.command('demo').option('--json').option('--profile <name>');
  program.command('prove').command('kills').option('--executions <n>');

  it('finds nothing missing in a command line that the program knows, values included', () => {
    expect(missingPart(program, ['demo', '--json', '--profile', 'mesh'])).toBeUndefined();
    expect(missingPart(program, ['prove', 'kills', '--executions', '40'])).toBeUndefined();
  });

  it('names the first word or option that is not there', () => {
    expect(missingPart(program, ['bench', 'chain'])).toBe('bench');
    expect(missingPart(program, ['prove', 'joins'])).toBe('joins');
    expect(missingPart(program, ['demo', '--seed', '1'])).toBe('demo --seed');
  });
});
