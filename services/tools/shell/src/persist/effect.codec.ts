// Effects as they are stored: one line of structure a decision, apart from the payloads of request and response.
import { rejection, type Failure, type Json } from '@weft/kernel';
import type { EffectEvent } from '@weft/tools/core';

/** What an erased output reads as. */
const ERASED: Json = { 'weft:erased': true };
const ERASED_FAILURE: Failure = rejection('erased', 'Expected the reason of a failure but it has been erased.');

/** Texts of one decision. `request` and `response` are undefined when the decision brings none. */
export interface EncodedEffect {
  readonly structure: string;
  readonly request: string | undefined;
  readonly response: string | undefined;
}

/** Splits the events of one decision. The structure is one line of JSON, so that lines can be appended in the store. */
export function encodeEffect(events: readonly EffectEvent[]): EncodedEffect {
  let request: string | undefined;
  let response: string | undefined;
  const structure = events.map((event) => {
    switch (event.type) {
      case 'EffectDispatched': {
        const { request: asked, ...steers } = event;
        request = JSON.stringify(asked);
        return steers;
      }
      case 'EffectConfirmed': {
        const { output, unusable, ...steers } = event;
        response = JSON.stringify({ output, ...(unusable ? { unusable } : {}) });
        return { ...steers, isUnusable: unusable !== undefined };
      }
      case 'EffectFailed':
      case 'AnswerLost': {
        const { failure, ...steers } = event;
        response = JSON.stringify({ failure });
        return steers;
      }
    }
  });
  return { structure: JSON.stringify(structure), request, response };
}

/** Joins what is stored. Of several responses the last one stands; requests are not needed to fold. */
export function decodeEffect(structure: string, response: string | null): EffectEvent[] {
  const last = (response === null ? {} : JSON.parse(response)) as { readonly output?: Json; readonly unusable?: Failure; readonly failure?: Failure };
  return structure.split('\n').flatMap((line) =>
    (JSON.parse(line) as (EffectEvent & { isUnusable?: boolean })[]).map((event): EffectEvent => {
      switch (event.type) {
        case 'EffectDispatched':
          return { ...event, request: null };
        case 'EffectConfirmed': {
          const { isUnusable, ...steers } = event;
          return { ...steers, output: last.output === undefined ? ERASED : last.output, ...(isUnusable ? { unusable: last.unusable ?? ERASED_FAILURE } : {}) };
        }
        default:
          return { ...event, failure: last.failure ?? ERASED_FAILURE };
      }
    }),
  );
}
