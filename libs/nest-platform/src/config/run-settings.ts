import { z } from 'zod';

/** What the operator lets workflows run besides scripts in the sandbox: read by who publishes definitions and by who runs the processes. */
export const runSettings = {
  WEFT_RUN_PYTHON: z.string().min(1).optional().describe('Command of the Python interpreter (3.13) for `run: script`. Without it a definition that has such a script is refused.'),
  WEFT_RUN_SHELL: z
    .string()
    .min(1)
    .optional()
    .describe('Path of the shell for `run: shell`, such as /bin/sh. Without it a definition that runs a command is refused. Commands have the rights of the tools process.'),
  WEFT_RUN_CONTAINER: z
    .string()
    .min(1)
    .optional()
    .describe('Command of a container engine that takes the arguments of docker, for `run: container`. Without it a definition that runs a container is refused.'),
  WEFT_MCP_STDIO: z
    .string()
    .transform((text) => text.split(',').flatMap((command) => (command.trim() === '' ? [] : [command.trim()])))
    .default([])
    .describe('Commands, separated by commas, that `call: mcp` may start as servers over stdio. Without it a definition that has such a transport is refused.'),
} as const;

export type RunSettings = Readonly<z.output<z.ZodObject<typeof runSettings>>>;
