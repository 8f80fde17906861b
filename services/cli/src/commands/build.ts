// `weft build`: TypeScript to a document, and a document to TypeScript.
import { toTypeScript } from '@weft/builder';
import type { Command } from 'commander';
import { checkedDocument, checkedText } from '../documents/checked-document.js';
import { withExamples } from './command.js';

export function registerBuild(program: Command): void {
  const command = program
    .command('build')
    .description('Print the document that a program builds, or with --typescript the program that builds a document')
    .argument('<file>', 'TypeScript or JavaScript with @weft/builder, or a document')
    .option('--typescript', 'print TypeScript')
    .action((file: string, { typescript = false }: { readonly typescript?: boolean }) => void process.stdout.write(typescript ? toTypeScript(checkedDocument(file)) : checkedText(file)));
  withExamples(command, [
    ['./weft build order.ts > order.yaml', 'the document as YAML'],
    ['./weft build order.yaml --typescript > order.ts', 'a program that builds an equal document'],
  ]);
}
