import { describe, expect, it } from 'vitest';
import { sourceTree, type SourceFile } from './source-tree.js';

const tree = sourceTree();

/** Which topics a service's shell publishes to and consumes from, read from its calls. */
function topicsOf(files: readonly SourceFile[]): { readonly publishes: readonly string[]; readonly consumes: readonly string[] } {
  const publishes = files.flatMap(({ syntax }) => syntax.calls.filter(({ callee }) => callee === 'outgoing').flatMap(({ argumentTexts }) => argumentTexts[0] ?? []));
  const consumes = files
    .filter(({ syntax }) => syntax.calls.some(({ callee }) => callee === 'OnTopic' || callee.endsWith('.subscribe')))
    .flatMap(({ syntax }) => [
      ...[...syntax.members].flatMap((member) => /^TOPICS\.(\w+)/.exec(member)?.[1] ?? []),
      ...syntax.calls.filter(({ callee }) => callee === 'topicName').flatMap(({ argumentTexts }) => argumentTexts[0] ?? []),
    ]);
  const deadLetters = files.some(({ syntax }) => syntax.calls.some(({ callee }) => callee === 'deadLetter')) ? ['<consumed>.dead'] : [];
  return { publishes: unique([...publishes, ...deadLetters]), consumes: unique(consumes) };
}

const unique = (names: readonly string[]): readonly string[] => [...new Set(names)].sort();

describe('topics', () => {
  it('are published and consumed by the services that the golden names', async () => {
    const lines = tree.packages
      .filter(({ type }) => type === 'service')
      .map((owner) => ({ scope: owner.scope, ...topicsOf(tree.files.filter((file) => file.package === owner && file.layer === 'shell' && !file.isSpec)) }))
      .sort((a, b) => (a.scope < b.scope ? -1 : 1))
      .map(({ scope, publishes, consumes }) => `${scope}\n  consumes  ${consumes.join(', ') || '-'}\n  publishes ${publishes.join(', ') || '-'}\n`);
    await expect(lines.join(''), 'update it with: node_modules/.bin/vitest run tests/architecture/topics.spec.ts -u').toMatchFileSnapshot('topics.golden.txt');
  });
});
