// What a call must keep to itself: the secrets in its arguments, and credentials that it comes by.
import type { Failure, Json } from '@weft/kernel';
import type { Target } from '@weft/tools/core';
import type { Sent, Work } from '../carry-out/work.js';
import type { AuthorizationDescriptor, DeferredArguments, Filling } from '../secret/deferred-arguments.js';
import type { Secrets } from '../secret/secrets.js';
import type { Withheld } from '../secret/withheld.js';
import type { CallMaking } from './call-making.js';

export interface JobSecrets {
  /** Values that are told nowhere; a maker adds what it comes by. */
  readonly withheld: Withheld;
  /** The arguments again, with credentials where expressions name them; undefined: none does. */
  readonly withCredentials?: (credentials: AuthorizationDescriptor) => Json | undefined;
}

/** Arguments with their secrets, and what keeps these. Failure codes: `secret-missing`, `expression-failed`. */
export function openedArguments(given: DeferredArguments, secrets: Secrets): { readonly ok: true; readonly args: Json; readonly kept: JobSecrets } | Extract<Filling, { ok: false }> {
  const filling = given.fill(secrets);
  if (!filling.ok) return filling;
  const { args, withheld } = filling;
  if (!given.needsAuthorization) return { ok: true, args, kept: { withheld } };
  const withCredentials = (credentials: AuthorizationDescriptor): Json | undefined => {
    const again = given.fill(secrets, credentials);
    return again.ok ? again.args : undefined;
  };
  return { ok: true, args, kept: { withheld, withCredentials } };
}

/** A call that tells nothing of what it keeps: judged, recorded and reported by its arguments as they are written. */
export function keptToItself({ on, made }: CallMaking, { isEmpty, shown }: DeferredArguments, { withheld }: JobSecrets): CallMaking {
  if (!made.ok) return { on: isEmpty ? on : withoutSecrets(on), made: { ok: false, failure: withheld.failure(made.failure) } };
  const { work } = made;
  const told: Work = {
    ...work,
    ...(isEmpty ? {} : { request: shown }),
    send: (sending) =>
      work.send(sending).then(
        (sent) => cleaned(sent, withheld),
        (error: unknown) => Promise.reject(withheld.error(error) as Error),
      ),
  };
  return { on: isEmpty ? on : withoutSecrets(on), made: { ok: true, work: told } };
}

/** Of an address that secrets may be part of, only where it leads is told. */
function withoutSecrets(on: Target): Target {
  if (!('url' in on)) return on;
  return { ...on, url: URL.canParse(on.url) && new URL(on.url).origin !== 'null' ? new URL(on.url).origin : '' };
}

function cleaned({ outcome, answer, evidence }: Sent, withheld: Withheld): Sent {
  const clean = (failure: Failure): Failure => withheld.failure(failure);
  return {
    outcome: outcome.kind === 'confirmed' ? outcome : { ...outcome, failure: clean(outcome.failure) },
    ...(answer ? { answer: { output: withheld.json(answer.output), ...(answer.unusable ? { unusable: clean(answer.unusable) } : {}) } } : {}),
    ...(evidence ? { evidence: withheld.json(evidence) } : {}),
  };
}
