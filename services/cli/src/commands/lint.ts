// `weft lint`: what publish would refuse, and what it lets through and is probably not meant.
import { LINT_RULES, lintWorkflow, PUBLISHED_EXPRESSIONS, type LintFinding } from '@weft/workflow';
import { InvalidArgumentError, type Command } from 'commander';
import { readDocument } from '../documents/read-document.js';
import { EXIT } from '../exit-codes.js';
import { colors, printer, table } from '../output/print.js';
import { wholeNumber, withExamples } from './command.js';

interface LintFlags {
  readonly json?: boolean;
  readonly maxWarnings?: number;
  readonly ignore: readonly string[];
  readonly rules?: boolean;
}

interface FileFindings {
  readonly file: string;
  readonly findings: readonly LintFinding[];
}

export function registerLint(program: Command): void {
  const command = program
    .command('lint')
    .description('Look through workflow documents: what publish refuses, and what is probably not meant')
    .argument('[files...]', 'documents (YAML, JSON, or TypeScript with @weft/builder); - is standard input')
    .option('--json', 'print JSON')
    .option('--max-warnings <count>', 'how many warnings there may be; default: any', wholeNumber(0, 1_000_000))
    .option('--ignore <rule>', 'leave a rule out; several times', ruleOption, [])
    .option('--rules', 'list the rules')
    .action(lint);
  withExamples(command, [
    ['./weft lint flows/*.yaml', 'each finding with line, column and rule'],
    ['./weft lint order.yaml --max-warnings 0', 'exits with 1 for warnings too'],
    ['./weft lint --rules', 'what is looked for'],
  ]).addHelpText('after', '\nExit codes: 0 nothing that fails, 1 errors, or more warnings than allowed, 2 a file or an option is wrong. What is only worth knowing (`info`) never fails.');
}

function lint(files: readonly string[], { json = false, maxWarnings = Number.POSITIVE_INFINITY, ignore, rules = false }: LintFlags, command: Command): void {
  const out = printer(json);
  if (rules)
    return out.data(
      LINT_RULES.map(({ id, severity, summary }) => ({ id, severity, summary })),
      () => table(LINT_RULES.map(({ id, severity, summary }) => [id, severity, summary])),
    );
  if (files.length === 0) command.error("error: missing required argument 'files'", { exitCode: EXIT.usage });
  const found = files.map((file): FileFindings => ({ file, findings: lintWorkflow(readDocument(file), PUBLISHED_EXPRESSIONS, ignore) }));
  const count = (severity: LintFinding['severity']): number => found.flatMap(({ findings }) => findings).filter((finding) => finding.severity === severity).length;
  const [errors, warnings, infos] = [count('error'), count('warning'), count('info')];
  out.data({ errors, warnings, infos, files: found }, () => [...found.flatMap(linesOf), colors.dim(`${errors} errors, ${warnings} warnings, ${infos} remarks in ${files.length} files`)].join('\n'));
  if (errors > 0 || warnings > maxWarnings) process.exitCode = EXIT.failed;
}

const COLOR: Readonly<Record<LintFinding['severity'], (text: string) => string>> = { error: colors.red, warning: colors.yellow, info: colors.dim };

const linesOf = ({ file, findings }: FileFindings): readonly string[] =>
  findings.map(({ rule, severity, message, line, column }) => {
    // A refusal ends with its place, which stands in front here.
    const sentence = message.replace(/ \(line \d+, column \d+\)\.$/, '.');
    return `${file}${line === undefined ? '' : `:${line}:${column}`} ${COLOR[severity](severity)} ${sentence} ${colors.dim(rule)}`;
  });

function ruleOption(id: string, before: readonly string[]): readonly string[] {
  if (!LINT_RULES.some((rule) => rule.id === id)) throw new InvalidArgumentError(`Expected a rule that \`weft lint --rules\` lists.`);
  return [...before, id];
}
