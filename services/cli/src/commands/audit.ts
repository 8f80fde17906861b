import type { Command } from 'commander';
import { connection } from '../client/connection.js';
import { GatewayClient } from '../client/gateway-client.js';
import { verifyAuditLog, type LogVerdict } from '../client/verify-audit-log.js';
import { verifyExecution, type ExecutionVerdict } from '../client/verify-execution.js';
import { EXIT } from '../exit-codes.js';
import { colors, printer } from '../output/print.js';
import { wholeNumber, withExamples } from './command.js';

interface VerifyOptions {
  readonly key?: string;
  readonly wait: number;
  readonly json?: boolean;
}

export function registerAudit(program: Command): void {
  const audit = program.command('audit').description('Check the transparency log');
  const verify = audit
    .command('verify')
    .description('Verify the whole log, or that every decision of an execution is in it; all checks run here, offline')
    .argument('[execution]', 'id of an execution')
    .option('--key <verifier-key>', "the log's public key as you know it; without it the key comes from the server that is checked")
    .option('--wait <seconds>', 'how long to wait for decisions that are not in the log yet', wholeNumber(0, 600), 5)
    .option('--json', 'print JSON')
    .action(async (execution: string | undefined, { key, wait, json = false }: VerifyOptions) => {
      const client = new GatewayClient(connection());
      const out = printer(json);
      const verdict = execution === undefined ? await verifyAuditLog(client, out.progress, key) : await verifyExecution(client, execution, { waitMs: wait * 1_000, pinnedKey: key });
      out.data(verdict, () => ('decisions' in verdict ? executionText(verdict) : logText(verdict)));
      if (key === undefined) out.progress(`checked with the key that the server named: ${verdict.verifierKey}. Keep it, and give it with --key from now on.`);
      if (!verdict.verified) process.exitCode = EXIT.failed;
    });
  withExamples(verify, [
    ['./weft audit verify', 'every entry, every tile, the root and its signature'],
    ['./weft audit verify 0198c0de-...', 'each decision of an execution, up to the signed checkpoint'],
    ['./weft audit verify --key "$(cat log.pub)" --json', 'with a key of your own keeping'],
  ]);
}

function executionText({ decisions, verified, treeSize }: ExecutionVerdict): string {
  const lines = decisions.map(
    ({ sequence, index, verified: ok, reason }) => `decision ${sequence}: ${ok ? `${colors.green('proved')} as part of leaf ${index}` : `${colors.red('not proved')}: ${reason}`}`,
  );
  return [...lines, verified ? `${colors.green('verified')}: ${decisions.length} decisions under the signed tree of ${treeSize} leaves` : colors.red('not verified')].join('\n');
}

const logText = ({ verified, size, origin, tiles, reason }: LogVerdict): string =>
  verified ? `${colors.green('verified')}: log ${origin} of ${size} entries, ${tiles} tiles, signature and root` : `${colors.red('not verified')}: ${reason}`;
