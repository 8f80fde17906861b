// Prints the document that the default export of a module builds. The module may import @weft/builder from anywhere.
import { isWorkflow } from '@weft/builder';
import { registerHooks } from 'node:module';
import { pathToFileURL } from 'node:url';

const BUILDER = '@weft/builder';

registerHooks({
  resolve: (specifier, context, next) => {
    try {
      return next(specifier, context);
    } catch (fault) {
      // A folder that has a builder of its own uses that one.
      if (specifier !== BUILDER) throw fault;
      return { url: import.meta.resolve(BUILDER), shortCircuit: true };
    }
  },
});

const file = process.argv[2]!;
const print = process.stdout.write.bind(process.stdout);
// What the module prints must not get among the document.
process.stdout.write = process.stderr.write.bind(process.stderr) as typeof process.stdout.write;
try {
  const { default: workflow } = (await import(pathToFileURL(file).href)) as { readonly default?: unknown };
  if (!isWorkflow(workflow)) throw new Error('its default export is no workflow: write `export default workflow(...)` with the builder of @weft/builder.');
  print(JSON.stringify(workflow.toDocument()));
} catch (fault) {
  process.stderr.write(fault instanceof Error ? fault.message : String(fault));
  process.exitCode = 1;
}
