// A document that publish would accept the text of.
import type { JsonObject } from '@weft/kernel';
import { parseWorkflow, PUBLISHED_EXPRESSIONS } from '@weft/workflow';
import { CommandFailed, EXIT } from '../exit-codes.js';
import { readDocument } from './read-document.js';

/** @throws CommandFailed with every fault and its place. */
export const checkedDocument = (file: string): JsonObject => checked(file, readDocument(file));

/** The text of such a document, as it stands or is built. @throws CommandFailed with every fault and its place. */
export function checkedText(file: string): string {
  const text = readDocument(file);
  checked(file, text);
  return text;
}

function checked(file: string, text: string): JsonObject {
  const reading = parseWorkflow(text, PUBLISHED_EXPRESSIONS);
  if (!reading.ok) throw new CommandFailed(reading.rejections.map(({ message }) => `${file}: ${message}`).join('\n'), EXIT.failed);
  return reading.workflow as unknown as JsonObject;
}
