// A graph as the text of a Mermaid flowchart. Source: https://mermaid.js.org/syntax/flowchart.html
import type { GraphEdge, GraphGroup, GraphNode, WorkflowGraph } from './workflow-graph.js';

const SHAPES: Readonly<Record<string, readonly [open: string, close: string]>> = {
  start: ['([', '])'],
  end: ['([', '])'],
  switch: ['{', '}'],
  listen: ['[/', '/]'],
  emit: ['[\\', '\\]'],
  wait: ['(', ')'],
  raise: ['>', ']'],
  for: ['[[', ']]'],
  fork: ['[[', ']]'],
  try: ['[[', ']]'],
  do: ['[[', ']]'],
};
const ARROWS: Readonly<Record<GraphEdge['kind'], string>> = { flow: '-->', into: '==>', error: '-.->' };

const LABEL_CHARACTERS_MAX = 120;

export function mermaidText(graph: WorkflowGraph): string {
  // Pointers hold what no id may; a number does as well.
  const ids = new Map([...graph.nodes, ...graph.groups].map(({ id }, i) => [id, `n${i}`]));
  const inGroups = new Set(graph.groups.flatMap(({ nodes }) => nodes));
  const nodes = new Map(graph.nodes.map((node) => [node.id, node]));
  const group = (one: GraphGroup, indent: string): string[] => [
    `${indent}subgraph ${ids.get(one.id)}["${escaped(one.label)}"]`,
    ...one.nodes.map((id) => `${indent}  ${nodeText(nodes.get(id)!, ids)}`),
    ...graph.groups.filter(({ parent }) => parent === one.id).flatMap((inner) => group(inner, `${indent}  `)),
    `${indent}end`,
  ];
  return [
    'flowchart TD',
    ...graph.nodes.filter(({ id }) => !inGroups.has(id)).map((node) => `  ${nodeText(node, ids)}`),
    ...graph.groups.filter(({ parent }) => parent === undefined).flatMap((one) => group(one, '  ')),
    ...graph.edges.map(({ from, to, label, kind }) => `  ${ids.get(from)} ${ARROWS[kind]}${label === '' ? '' : `|"${escaped(label)}"|`} ${ids.get(to)}`),
    '',
  ].join('\n');
}

function nodeText({ id, kind, label }: GraphNode, ids: ReadonlyMap<string, string>): string {
  const [open, close] = SHAPES[kind] ?? ['[', ']'];
  return `${ids.get(id)}${open}"${escaped(label)}"${close}`;
}

/** Everything that Mermaid, its Markdown or HTML could read as something else, by number. */
function escaped(text: string): string {
  const short = text.length > LABEL_CHARACTERS_MAX ? `${text.slice(0, LABEL_CHARACTERS_MAX).toWellFormed()}…` : text;
  return short.replaceAll(/\s+/g, ' ').replaceAll(/[^\p{L}\p{N} .,:/_=+…-]/gu, (character) => `#${character.codePointAt(0)};`);
}
