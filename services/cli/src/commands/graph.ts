// `weft graph`: a workflow as a picture, or as data for one.
import { dotText, mermaidText, workflowGraph } from '@weft/workflow';
import type { Command } from 'commander';
import { checkedDocument } from '../documents/checked-document.js';
import { oneOf, withExamples } from './command.js';

const FORMATS = ['mermaid', 'dot', 'json'] as const;

export function registerGraph(program: Command): void {
  const command = program
    .command('graph')
    .description('Draw a workflow document')
    .argument('<file>', 'the document (YAML, JSON, or TypeScript with @weft/builder)')
    .option('--format <format>', 'mermaid, dot (Graphviz) or json', oneOf(FORMATS), 'mermaid')
    .action((file: string, { format }: { readonly format: (typeof FORMATS)[number] }) => {
      const graph = workflowGraph(checkedDocument(file));
      process.stdout.write(format === 'mermaid' ? mermaidText(graph) : format === 'dot' ? dotText(graph) : `${JSON.stringify(graph)}\n`);
    });
  withExamples(command, [
    ['./weft graph order.yaml', 'a Mermaid flowchart, as Markdown pages show it'],
    ['./weft graph order.yaml --format dot | dot -Tsvg > order.svg', 'a picture by Graphviz'],
  ]);
}
