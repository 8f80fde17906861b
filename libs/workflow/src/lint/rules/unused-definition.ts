import { isJsonObject, objectOf, type Json, type JsonObject } from '@weft/kernel';
import { pointerTo } from '../../pointer.js';
import { textsIn, type LintRule } from '../lint-rule.js';

const SECTIONS = ['authentications', 'catalogs', 'errors', 'functions', 'retries', 'timeouts'] as const;
type Section = (typeof SECTIONS)[number];

/** Whether a text at the end of a pointer uses a definition of this name. */
const USES: Readonly<Record<Section, (pointer: string, text: string, name: string) => boolean>> = {
  authentications: (pointer, text, name) => pointer.endsWith('/authentication/use') && text === name,
  catalogs: (pointer, text, name) => pointer.endsWith('/call') && text.endsWith(`@${name}`),
  errors: (pointer, text, name) => pointer.endsWith('/raise/error') && text === name,
  functions: (pointer, text, name) => pointer.endsWith('/call') && text === name,
  retries: (pointer, text, name) => pointer.endsWith('/retry') && text === name,
  timeouts: (pointer, text, name) => pointer.endsWith('/timeout') && text === name,
};

const secretsOf = ({ secrets }: JsonObject): readonly (readonly [name: string, pointer: string])[] =>
  Array.isArray(secrets) ? (secrets as readonly Json[]).map((name, i) => [String(name), pointerTo('/use/secrets', i)]) : [];

export const unusedDefinition: LintRule = {
  id: 'unused-definition',
  severity: 'warning',
  summary: 'A name is declared in `use` and nothing uses it: a leftover, or its use is misspelt.',
  check: ({ document, use }) => {
    const texts = textsIn(document, '');
    const unused = SECTIONS.flatMap((section) =>
      Object.keys(isJsonObject(use[section]) ? objectOf(use[section]) : {})
        .filter((name) => !texts.some(({ pointer, text }) => USES[section](pointer, text, name)))
        .map((name) => ({ name, pointer: pointerTo('/use', section, name) })),
    );
    // A policy may be kept in a secret, which is then named by its `use`.
    const secrets = secretsOf(use).filter(([name]) => !texts.some(({ pointer, text }) => (pointer.endsWith('/use') && text === name) || (text.includes('$secrets') && text.includes(name))));
    return [...unused, ...secrets.map(([name, pointer]) => ({ name, pointer }))].map(({ name, pointer }) => ({
      pointer,
      message: `Expected a use of \`${name}\`, which ${pointer} declares, but found none`,
    }));
  },
};
