import type { Command } from 'commander';
import { connection } from '../client/connection.js';
import { deployDefinition } from '../client/executions.js';
import { GatewayClient } from '../client/gateway-client.js';
import type { DeployedShape } from '../client/shapes.js';
import { CommandFailed, EXIT } from '../exit-codes.js';
import { colors, printer } from '../output/print.js';
import { readDocument } from '../documents/read-document.js';
import { withExamples } from './command.js';
import { registerDeployCheck } from './deploy-check.js';

export function registerDeploy(program: Command): void {
  const command = program
    .command('deploy')
    .description('Validate workflow definitions (YAML, JSON, or TypeScript with @weft/builder) and store each as a version')
    .argument('<files...>', 'files with one definition each')
    .option('--json', 'print JSON')
    .action(async (files: readonly string[], { json = false }: { json?: boolean }) => {
      const texts = files.map((file) => ({ file, text: readDocument(file) }));
      const client = new GatewayClient(connection());
      const done: (DeployedShape & { readonly file: string })[] = [];
      const refused: string[] = [];
      for (const { file, text } of texts) {
        try {
          done.push({ file, ...(await deployDefinition(client, text)) });
        } catch (fault) {
          if (!(fault instanceof CommandFailed) || fault.exitCode !== EXIT.failed) throw fault;
          refused.push(`${file}: ${fault.message}`);
        }
      }
      const out = printer(json);
      if (done.length > 0 || json) out.data(done, () => done.map(deployedText).join('\n'));
      if (refused.length > 0) throw new CommandFailed(refused.join('\n'), EXIT.failed);
    });
  registerDeployCheck(command);
  withExamples(command, [
    ['./weft deploy examples/chat/workflow.yaml', 'stores examples/chat:1.1.0; the same document again changes nothing'],
    ['./weft deploy flows/*.yaml --json', 'several, as JSON'],
  ]);
}

const deployedText = ({ namespace, name, version, digest, created, resources }: DeployedShape): string =>
  [
    `${created ? colors.green('deployed') : colors.dim('is there')} ${colors.bold(`${namespace}/${name}:${version}`)} ${colors.dim(`digest ${digest.slice(0, 12)}`)}`,
    ...resources.map((resource) => `  locked ${resource.kind} ${resource.uri} ${colors.dim(`digest ${resource.digest.slice(0, 12)}`)}`),
  ].join('\n');
