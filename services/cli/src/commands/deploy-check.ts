import type { Command } from 'commander';
import { connection } from '../client/connection.js';
import { GatewayClient } from '../client/gateway-client.js';
import { upgrade } from '../client/upgrades.js';
import { EXIT } from '../exit-codes.js';
import { printer } from '../output/print.js';
import { upgradeText } from '../output/upgrade-text.js';
import { readDocument } from '../documents/read-document.js';
import { withExamples } from './command.js';

export function registerDeployCheck(deploy: Command): void {
  const command = deploy
    .command('check')
    .description('Tell which executions of other versions could not go on under a definition, and why. Nothing is deployed or changed')
    .argument('<file>', 'file with the new version')
    .option('--json', 'print JSON')
    .action(async (file: string, _options: object, given: Command) => {
      const { json = false } = given.optsWithGlobals<{ json?: boolean }>();
      const text = readDocument(file);
      const out = printer(json);
      const page = await upgrade(new GatewayClient(connection()), { text }, ({ matched, nextCursor }) => nextCursor !== '' && out.progress(`${matched} executions looked at`));
      out.data(page, () => upgradeText(page));
      if (page.broken.length > 0) process.exitCode = EXIT.failed;
    });
  withExamples(command, [
    ['./weft deploy check flows/refund.yaml', 'who is parked where the new version has something else, with a map to migrate them by'],
    ['./weft deploy check flows/refund.yaml --json', '{matched, able, broken: [{execution, version, problems}], proposals}'],
  ]);
}
