import type { Command } from 'commander';
import { colors, printer } from '../output/print.js';
import { HOME } from '../paths.js';
import { createKeyFor } from '../processes/administrate.js';
import { withExamples } from './command.js';

export function registerKeys(program: Command): void {
  const keys = program.command('keys').description('API keys');
  const create = keys
    .command('create')
    .description('Make an API key. Its text is shown once: only a digest of it is kept')
    .argument('<name>', 'what the key is for')
    .option('--tenant <tenant>', 'tenant that it belongs to', 'default')
    .option('--user <user>', 'person that it acts for: what is decided with it, this person decided', '')
    .option('--role <role...>', 'roles of that person, which reviews may be assigned to', [])
    .option('--json', 'print JSON')
    .action(async (name: string, { tenant, user, role, json = false }: { tenant: string; user: string; role: readonly string[]; json?: boolean }) => {
      const made = await createKeyFor(tenant, name, user, role, { WEFT_HOME: HOME, WEFT_PORT: '0' });
      const whose = `${made.user === '' ? `key:${made.id}` : `user:${made.user}`}${made.roles.map((each) => `, role:${each}`).join('')}`;
      printer(json).data(made, () => `${colors.bold(made.key)}\n${colors.dim(`of tenant ${made.tenant}, acts as ${whose}`)}`);
    });
  withExamples(create, [
    ['./weft keys create eva --user eva --role finance', 'a key for Eva, who may decide what finance is asked'],
    ['WEFT_API_KEY=weft_... ./weft reviews --mine', 'use it: what Eva may decide now'],
  ]);
}
