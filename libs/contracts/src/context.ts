// What crosses every hop, and how it travels: CloudEvent extensions on the bus, metadata on gRPC.
import type { Budget, Context } from './generated/weft/v1/context.js';

/** A context with nothing but what is given; the rest is empty (no job, no deadline, unlimited budget, trusted). */
export function contextOf(given: Partial<Context> & { readonly tenant: string }): Context {
  return {
    actor: '',
    purpose: '',
    executionId: '',
    jobId: '',
    attempt: 0,
    traceparent: '',
    tracestate: '',
    deadlineMs: 0,
    budget: undefined,
    taint: [],
    ...given,
  };
}

// Extension names: CloudEvents allows a-z and 0-9 only. The W3C names stay as that standard has them.
const TEXT_FIELDS = {
  tenant: 'wefttenant',
  actor: 'weftactor',
  purpose: 'weftpurpose',
  executionId: 'weftexecution',
  jobId: 'weftjob',
  traceparent: 'traceparent',
  tracestate: 'tracestate',
} as const satisfies Partial<Record<keyof Context, string>>;

/**
 * The context as text attributes. Values outside printable ASCII are percent-encoded, so that they survive headers.
 * Empty fields are left out. Nothing is lost, but for half a surrogate pair: it has no UTF-8 form and becomes U+FFFD.
 */
export function contextToAttributes(context: Context): Record<string, string> {
  const attributes: Record<string, string> = {};
  for (const [field, name] of Object.entries(TEXT_FIELDS) as [keyof typeof TEXT_FIELDS, string][]) {
    if (context[field] !== '') attributes[name] = encode(context[field]);
  }
  if (context.attempt !== 0) attributes['weftattempt'] = String(context.attempt);
  if (context.deadlineMs !== 0) attributes['weftdeadline'] = String(context.deadlineMs);
  if (context.budget) {
    const { moneyMicros, tokens, calls } = context.budget;
    attributes['weftbudget'] = `${moneyMicros} ${tokens} ${calls}`;
  }
  if (context.taint.length > 0) attributes['wefttaint'] = context.taint.map((label) => encode(label) || EMPTY_LABEL).join(' ');
  return attributes;
}

/**
 * The context that attributes carry. Unknown attributes are ignored; missing ones give empty fields. A number that cannot be
 * read counts as 0: no attempt, no deadline, and of a budget nothing left.
 */
export function contextFromAttributes(attribute: (name: string) => string | undefined): Context {
  const text = (name: string): string => decode(attribute(name) ?? '');
  const context = contextOf({ tenant: '' });
  for (const [field, name] of Object.entries(TEXT_FIELDS) as [keyof typeof TEXT_FIELDS, string][]) context[field] = text(name);
  context.attempt = number(attribute('weftattempt'));
  context.deadlineMs = number(attribute('weftdeadline'));
  context.budget = budgetFrom(attribute('weftbudget'));
  const taint = attribute('wefttaint');
  context.taint = taint ? taint.split(' ').map((label) => (label === EMPTY_LABEL ? '' : decode(label))) : [];
  return context;
}

function budgetFrom(text: string | undefined): Budget | undefined {
  if (!text) return undefined;
  const [moneyMicros = 0, tokens = 0, calls = 0] = text.split(' ').map(number);
  return { moneyMicros, tokens, calls };
}

function number(text: string | undefined): number {
  const value = Number(text ?? 0);
  return Number.isFinite(value) && value > 0 ? value : 0;
}

// A space separates taint labels and '%' starts an escape; everything else printable stays readable.
// A '%' alone comes out of no other label.
const EMPTY_LABEL = '%';
const UNSAFE = /[^\x21-\x24\x26-\x7e]/gu;
function encode(text: string): string {
  return text.replace(UNSAFE, (character) => {
    // A lone surrogate has no UTF-8 form; it becomes the replacement character rather than an exception.
    return encodeURIComponent(character.isWellFormed() ? character : '\ufffd');
  });
}

function decode(text: string): string {
  if (!text.includes('%')) return text;
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
