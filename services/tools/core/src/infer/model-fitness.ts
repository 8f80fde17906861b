// Whether a model can be asked for what a job wants at all.

/** What the catalogue says of a model. */
export interface ModelFacts {
  readonly capabilities: readonly string[];
  /** Length of its embeddings; 0 = not told. */
  readonly dimensions: number;
}

/** Why a model is not asked; undefined: it may be. A model that makes embeddings and has no other capability answers nothing else. */
export function unfitness(facts: ModelFacts | undefined, wantsEmbeddings: boolean): string | undefined {
  const capabilities = facts?.capabilities ?? [];
  if (wantsEmbeddings) return capabilities.includes('embeddings') ? undefined : 'not asked: it makes no embeddings';
  return capabilities.length > 0 && capabilities.every((capability) => capability === 'embeddings') ? 'not asked: it makes embeddings and nothing else' : undefined;
}
