// Who may use what. Nothing is allowed that no entry of the grants file allows.
import { rejection, type Rejection } from '@weft/kernel';

/** Job kinds that are granted as a whole; tools are granted by name. */
export type GrantedKind = 'http' | 'infer';

/** One entry of the grants file. */
export interface Grant {
  /** A tenant, or `*` for all. */
  readonly tenant: string;
  /** Workflows as `namespace/name`, of any version; `*` stands for any text without a slash. */
  readonly workflow: string;
  /** Names of tools; `*` for all that are declared. */
  readonly tools: readonly string[];
  readonly kinds: readonly GrantedKind[];
}

/** What is asked for. */
export interface Wanted {
  readonly tenant: string;
  /** `namespace/name:version`. */
  readonly workflow: string;
  readonly kind: string;
  /** Name of the tool; empty for other kinds than `tool`. */
  readonly tool: string;
}

/** Decides by the entries. @returns undefined when granted, else a denial: code `denied`, saying what to add. */
export type Authorise = (wanted: Wanted) => Rejection | undefined;

/** Answers kept; a deployment has few (tenant, workflow, tool) triples, an attacker can invent many. */
const ANSWERS_MAX = 10_000;

/** Prepares the entries: patterns compiled once, answers kept by (tenant, workflow, kind, tool). */
export function authoriser(grants: readonly Grant[]): Authorise {
  const entries = grants.map((grant) => ({ grant, pattern: patternOf(grant.workflow) }));
  const answers = new Map<string, Rejection | undefined>();
  return (wanted) => {
    const question = `${wanted.tenant}\n${wanted.workflow}\n${wanted.kind}\n${wanted.tool}`;
    if (answers.has(question)) return answers.get(question);
    const name = wanted.workflow.split(':', 1)[0] ?? '';
    const granted = entries.some(({ grant, pattern }) => (grant.tenant === '*' || grant.tenant === wanted.tenant) && pattern.test(name) && covers(grant, wanted));
    const answer = granted ? undefined : denial(wanted, name);
    if (answers.size >= ANSWERS_MAX) answers.clear();
    answers.set(question, answer);
    return answer;
  };
}

function covers(grant: Grant, { kind, tool }: Wanted): boolean {
  if (kind === 'tool') return grant.tools.includes(tool) || grant.tools.includes('*');
  return (grant.kinds as readonly string[]).includes(kind);
}

function patternOf(workflow: string): RegExp {
  const parts = workflow.split('*').map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'));
  return new RegExp(`^${parts.join('[^/]*')}$`);
}

function denial({ tenant, kind, tool }: Wanted, workflow: string): Rejection {
  const what = kind === 'tool' ? `tool ${JSON.stringify(tool)}` : `jobs of kind ${JSON.stringify(kind)}`;
  const entry = kind === 'tool' ? `tools: [${tool}]` : `kinds: [${kind}]`;
  return rejection(
    'denied',
    `Expected a grant of ${what} to workflow ${JSON.stringify(workflow)} of tenant ${JSON.stringify(tenant)} but there is none. To give it, add to the grants file: {tenant: ${tenant}, workflow: ${workflow}, ${entry}}.`,
    { details: { tenant, workflow, kind, ...(tool === '' ? {} : { tool }) } },
  );
}
