import type { Json } from '@weft/kernel';
import { behavesBy, NULL_IS_A_VALUE } from '../upgrade/engine-flags.js';
import type { ExecutionState } from './execution.state.js';

/** What an event says of a value, or what holds where it says nothing. */
export function recorded<V extends Json | undefined>(state: ExecutionState, said: V | undefined, otherwise: V): V {
  const isSaid = said !== undefined && (said !== null || behavesBy(state, NULL_IS_A_VALUE));
  return isSaid ? said : otherwise;
}
