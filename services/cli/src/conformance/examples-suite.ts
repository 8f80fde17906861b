// Documents of the specification: whether each validates, and whether the builder takes it there and back.
import { fromDocument } from '@weft/builder';
import { isJsonObject, type JsonObject } from '@weft/kernel';
import { parseWorkflow, PUBLISHED_EXPRESSIONS } from '@weft/workflow';
import { isDeepStrictEqual } from 'node:util';
import { parse } from 'yaml';

export interface ExampleResult {
  readonly file: string;
  readonly valid: boolean;
  /** Built again from what the builder read of it, it is the same document. */
  readonly roundTrip: boolean;
  readonly reasons: readonly string[];
}

/** @param text of one document. */
export function judgeExample(file: string, text: string): ExampleResult {
  const reading = parseWorkflow(text, PUBLISHED_EXPRESSIONS);
  const document: unknown = parse(text);
  const reasons = reading.ok ? [] : reading.rejections.map(({ message }) => message);
  const back = isJsonObject(document as JsonObject) ? roundTripProblem(document as JsonObject) : 'it is no object';
  return { file, valid: reading.ok, roundTrip: back === undefined, reasons: back === undefined ? reasons : [...reasons, back] };
}

function roundTripProblem(document: JsonObject): string | undefined {
  try {
    return isDeepStrictEqual(fromDocument(document).toDocument(), document) ? undefined : 'what is built from it differs from it';
  } catch (fault) {
    return fault instanceof Error ? fault.message : String(fault);
  }
}
