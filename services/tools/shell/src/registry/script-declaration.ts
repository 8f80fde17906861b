// A script as the tools file declares it: written out, or in a file beside it.
import { readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { SCRIPT_MEMORY_BYTES, type ToolDefinition } from '@weft/tools/core';
import { z } from 'zod';
import { SOURCE_BYTES_MAX } from '../sandbox/sandbox.js';

const MIB = 1024 * 1024;
const SCRIPT_TIMEOUT_MS = 1_000;
const SCRIPT_TIMEOUT_MS_MAX = 60_000;
const SCRIPT_MEMORY_BYTES_MAX = 256 * MIB;

/** The fields of a script besides those of every tool. */
export const scriptFields = {
  kind: z.literal('script'),
  effect: z.literal('read', 'a script reaches nothing, so it is of class read'),
  timeoutMs: z.number().int().min(1).max(SCRIPT_TIMEOUT_MS_MAX).default(SCRIPT_TIMEOUT_MS),
  script: z
    .strictObject({
      source: z.string().min(1).optional(),
      file: z.string().min(1).optional(),
      memoryBytes: z.number().int().min(MIB).max(SCRIPT_MEMORY_BYTES_MAX).default(SCRIPT_MEMORY_BYTES),
    })
    .refine(({ source, file }) => (source === undefined) !== (file === undefined), 'expected either source or file'),
} as const;

/** The definition with the script's text in it. @param path of the tools file. @param fault told what is wrong. */
export function withSource(definition: ToolDefinition, path: string, fault: (problem: string) => void): ToolDefinition {
  if (definition.kind !== 'script') return definition;
  const { source, file, memoryBytes } = definition.script as { readonly source?: string; readonly file?: string; readonly memoryBytes: number };
  try {
    const text = source ?? readFileSync(resolve(dirname(path), file ?? ''), 'utf8');
    if (Buffer.byteLength(text) > SOURCE_BYTES_MAX) fault(`script: expected at most ${SOURCE_BYTES_MAX} bytes but it is longer`);
    return { ...definition, script: { source: text, memoryBytes } };
  } catch (error) {
    fault(`script.file: ${(error as Error).message}`);
    return definition;
  }
}
