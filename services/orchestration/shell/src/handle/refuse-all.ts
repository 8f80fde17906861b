import { invariant, Refused, type Rejection } from '@weft/kernel';

/** Refuses for all of these reasons at once, under the code of the first; `details.problems` holds each with its place. */
export function refuseAll(rejections: readonly Rejection[]): never {
  const [first] = rejections;
  invariant(first, 'who refuses has a reason');
  throw new Refused({
    code: first.code,
    message: rejections.map(({ message }) => message).join('\n'),
    retryable: false,
    details: { problems: rejections.map(({ message, details }) => ({ message, ...(details ? { details } : {}) })) },
  });
}
