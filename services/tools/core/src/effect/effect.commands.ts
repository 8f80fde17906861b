import type { Failure, Json } from '@weft/kernel';
import type { Dispatched, EffectSubject } from './effect.events.js';

/** What may be asked of the ledger about one effect. The time of each is the decision's `now`: the store's time, never a worker's. */
export type EffectCommand =
  /** Someone wants the effect done and would send it under this token. `sent`: how often this carrying-out of the job has sent it already. */
  | ({ readonly type: 'Dispatch'; readonly sent: number; readonly subject: EffectSubject; readonly request: Json } & Dispatched)
  /** The receiver says that it happened. `unusable`: its answer cannot be used, and why. */
  | { readonly type: 'Confirm'; readonly token: string; readonly output: Json; readonly unusable?: Failure }
  /** This attempt is known not to have happened. */
  | { readonly type: 'Fail'; readonly token: string; readonly failure: Failure }
  /** A timeout or a cut: this attempt may have happened. */
  | { readonly type: 'LoseAnswer'; readonly token: string; readonly failure: Failure }
  /** The hook has told. */
  | { readonly type: 'Reconcile'; readonly happened: boolean; readonly output: Json }
  /** A person has told. */
  | { readonly type: 'Settle'; readonly happened: boolean; readonly output: Json; readonly person: string };
