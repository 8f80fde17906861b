import type { Command } from 'commander';
import { inHome, HOME } from '../paths.js';
import { colors, printer } from '../output/print.js';
import { migrateStore } from '../processes/standalone.js';
import { withExamples } from './command.js';

export function registerDb(program: Command): void {
  const db = program.command('db').description('The store');
  const migrate = db
    .command('migrate')
    .description('Bring the store up to date: schemas, roles and rights of all services. Runs once before a start')
    .option('--json', 'print JSON')
    .action(async ({ json = false }: { json?: boolean }) => {
      const out = printer(json);
      out.progress('bringing the store up to date');
      const applied = await migrateStore({ env: { WEFT_HOME: HOME, WEFT_PORT: '0' }, logFile: inHome('logs', 'migrate.log') });
      out.data({ applied }, () => appliedText(applied));
    });
  withExamples(migrate, [
    ['./weft db migrate', 'the embedded store under .weft'],
    ['WEFT_STORE_URL=postgres://admin@db:5432/weft ./weft db migrate', 'another PostgreSQL, as a user who may create roles'],
  ]);
}

export function appliedText(applied: Readonly<Record<string, readonly string[]>>): string {
  const some = Object.entries(applied).filter(([, names]) => names.length > 0);
  return some.length === 0 ? 'The store is up to date.' : some.map(([service, names]) => `${colors.bold(service)}: ${names.join(', ')}`).join('\n');
}
