import type { BrokenShape, ProposalShape, UpgradeShape } from '../client/upgrades.js';
import { colors } from './print.js';

/** Executions that are told by name; of more only their number. */
const BROKEN_TOLD_MAX = 50;

/** What an upgrade would meet, or has met, for people. */
export function upgradeText(page: UpgradeShape): string {
  const { to, matched, able, broken, proposals } = page;
  const name = `${to.namespace}/${to.name}:${to.version}`;
  if (matched === 0) return `no execution of another version than ${name} goes on`;
  return [
    `${colors.bold(String(able))} of ${matched} executions can go on under ${name}`,
    ...broken.slice(0, BROKEN_TOLD_MAX).flatMap(brokenLines),
    ...(broken.length > BROKEN_TOLD_MAX ? [`... and ${broken.length - BROKEN_TOLD_MAX} more: --json lists them all`] : []),
    ...(broken.length > 0 ? proposals.flatMap(proposalLines) : []),
  ].join('\n');
}

const brokenLines = ({ execution, version, problems, isHealedByProposal }: BrokenShape): readonly string[] => [
  `${colors.red('cannot go on')} ${execution}${version === '' ? '' : ` (version ${version})`}${isHealedByProposal ? colors.dim(', with the proposed map it could') : ''}`,
  ...problems.map(({ reason, message }) => `  ${reason}: ${message}`),
];

function proposalLines({ version, map, doubts }: ProposalShape): readonly string[] {
  const entries = Object.entries(map);
  return [
    ...(entries.length === 0 ? [] : [`proposed map from version ${version}, for a file after --map:`, ...entries.map(([from, to]) => `  ${JSON.stringify(from)}: ${JSON.stringify(to)}`)]),
    ...doubts.map(({ from, to, why }) => colors.dim(`  not in it, say it yourself if it is so: ${from} -> ${to} (${why})`)),
  ];
}
