// Offers and the definitions that are pinned of them.
import type { Json } from '@weft/kernel';
import type { OfferedTool, PinnedDefinition } from '@weft/tools/core';
import type { ToolSource } from './tool-source.js';

/** What is pinned of an offer: all of it, and where it comes from. */
export function pinnedAs({ name: source, identity }: Pick<ToolSource, 'name' | 'identity'>, { target = null, ...tool }: OfferedTool): PinnedDefinition {
  return { source, target: [identity, target], ...tool };
}

/** The offer that a pin was made of. */
export function offeredAs({ source: _source, target, ...tool }: PinnedDefinition): OfferedTool {
  return { ...tool, target: (target as readonly [Json, Json])[1] };
}
