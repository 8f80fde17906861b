// A document that publish would accept the text of.
import type { JsonObject } from '@weft/kernel';
import { checkExpression, parseWorkflow } from '@weft/workflow';
import { CommandFailed, EXIT } from '../exit-codes.js';
import { readDocument } from './read-document.js';

/** @throws CommandFailed with every fault and its place. */
export function checkedDocument(file: string): JsonObject {
  const reading = parseWorkflow(readDocument(file), { checkExpression });
  if (!reading.ok) throw new CommandFailed(reading.rejections.map(({ message }) => `${file}: ${message}`).join('\n'), EXIT.failed);
  return reading.workflow as unknown as JsonObject;
}
