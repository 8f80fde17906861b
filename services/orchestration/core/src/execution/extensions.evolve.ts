// Extensions around a task, folded: their lists get its input or its output, and leave both as they are.
import type { Json } from '@weft/kernel';
import type { ExecutionDraft } from './execution.draft.js';
import type { ExecutionEvent } from './execution.events.js';
import type { Activation } from './execution.state.js';

type EventOf<T extends ExecutionEvent['type']> = Extract<ExecutionEvent, { type: T }>;

export function beginExtension(draft: ExecutionDraft, event: EventOf<'ExtensionBegun'>): void {
  const { key, phase, applying, at, then } = event;
  const activation = draft.activation(key);
  const output = phase === 'after' ? { output: outputOf(activation, event) } : {};
  draft.change(key, { extending: { phase, applying, at, ...output, ...(then === undefined ? {} : { then }) }, value: 'output' in output ? output.output : activation.input, visits: {} });
}

function outputOf({ extending, value }: Activation, event: EventOf<'ExtensionBegun'>): Json {
  if (event.output !== undefined) return event.output;
  return extending?.phase === 'after' ? (extending.output ?? null) : value;
}

export function endExtensions(draft: ExecutionDraft, { key, applying, isSkipped }: EventOf<'ExtensionsEnded'>): void {
  const { extending, ...activation } = draft.activation(key);
  if (applying) return draft.put('activations', key, { ...activation, extending: { phase: 'around', applying, at: -1 }, value: activation.input, visits: {} });
  draft.put('activations', key, isSkipped ? activation : { ...activation, value: extending?.output ?? null, visits: {} });
}
