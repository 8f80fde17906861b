// URI templates of level 1: `{name}`. Source: RFC 6570, sections 1.2 and 3.2; Open Workflow Specification 1.0.3, dsl-reference.md#uri-template.

const VARIABLE = /\{([^{}]*)\}/g;

/** Names of the variables of a template, in their order. */
export const uriVariables = (template: string): readonly string[] => [...template.matchAll(VARIABLE)].map(([, name = '']) => name);

/** Fills a template; what `textOf` gives is percent-encoded. */
export const fillUri = (template: string, textOf: (name: string) => string): string => template.replace(VARIABLE, (_whole, name: string) => encodeUnreserved(textOf(name)));

/** Percent-encodes all but unreserved characters; encodeURIComponent would leave !'()* as they are. Source: RFC 6570, section 3.2.1. */
export function encodeUnreserved(text: string): string {
  return encodeURIComponent(text.toWellFormed()).replace(/[!'()*]/g, (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`);
}
