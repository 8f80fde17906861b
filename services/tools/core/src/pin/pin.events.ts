import type { Instant } from '@weft/kernel';
import type { Offer } from './pin.state.js';

/** What may be asked about the pin of one tool. */
export type PinCommand =
  /** A source offers this definition now. */
  | ({ readonly type: 'OfferTool' } & Offer)
  /** Somebody lets the offered definition be called. */
  | { readonly type: 'AcceptTool'; readonly digest: string; readonly by: string; readonly reason: string }
  /** Somebody refuses the offered definition; a definition accepted before it stays the accepted one. */
  | { readonly type: 'RejectTool'; readonly digest: string; readonly by: string; readonly reason: string };

export type PinEvent =
  | ({ readonly type: 'ToolOffered'; readonly at: Instant } & Offer)
  | { readonly type: 'ToolAccepted'; readonly at: Instant; readonly digest: string; readonly by: string; readonly reason: string }
  | { readonly type: 'ToolRejected'; readonly at: Instant; readonly digest: string; readonly by: string; readonly reason: string };
