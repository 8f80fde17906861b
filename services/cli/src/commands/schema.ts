// `weft schema`: what editors check and complete documents with.
import { editorSchema } from '@weft/workflow';
import type { Command } from 'commander';
import { withExamples, writeOutput } from './command.js';

export function registerSchema(program: Command): void {
  const command = program
    .command('schema')
    .description('Print the JSON Schema of workflow documents, for editors')
    .option('--out <file>', 'write it there instead')
    .action(({ out }: { readonly out?: string }) => {
      const text = `${JSON.stringify(editorSchema(), undefined, 2)}\n`;
      if (out === undefined) process.stdout.write(text);
      else writeOutput(out, text);
    });
  withExamples(command, [['./weft schema --out workflow.schema.json', 'then begin a document with: # yaml-language-server: $schema=./workflow.schema.json']]);
}
