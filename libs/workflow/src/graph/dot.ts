// A graph in the language of Graphviz. Source: https://graphviz.org/doc/info/lang.html
import type { GraphEdge, GraphGroup, WorkflowGraph } from './workflow-graph.js';

const STYLES: Readonly<Record<GraphEdge['kind'], string>> = { flow: '', into: 'style=bold', error: 'style=dashed' };

export function dotText(graph: WorkflowGraph): string {
  const labels = new Map(graph.nodes.map(({ id, label }) => [id, label]));
  const inGroups = new Set(graph.groups.flatMap(({ nodes }) => nodes));
  const node = (id: string): string => `${quoted(id)} [label=${quoted(labels.get(id)!)}];`;
  const group = (one: GraphGroup, indent: string): string[] => [
    `${indent}subgraph ${quoted(`cluster ${one.id}`)} {`,
    `${indent}  label=${quoted(one.label)};`,
    ...one.nodes.map((id) => `${indent}  ${node(id)}`),
    ...graph.groups.filter(({ parent }) => parent === one.id).flatMap((inner) => group(inner, `${indent}  `)),
    `${indent}}`,
  ];
  return [
    'digraph workflow {',
    '  node [shape=box];',
    ...graph.nodes.filter(({ id }) => !inGroups.has(id)).map(({ id }) => `  ${node(id)}`),
    ...graph.groups.filter(({ parent }) => parent === undefined).flatMap((one) => group(one, '  ')),
    ...graph.edges.map(({ from, to, label, kind }) => `  ${quoted(from)} -> ${quoted(to)}${attributes(label, kind)};`),
    '}',
    '',
  ].join('\n');
}

function attributes(label: string, kind: GraphEdge['kind']): string {
  const parts = [label === '' ? '' : `label=${quoted(label)}`, STYLES[kind]].filter((part) => part !== '');
  return parts.length === 0 ? '' : ` [${parts.join(', ')}]`;
}

const quoted = (text: string): string =>
  `"${text
    .replaceAll('\\', '\\\\')
    .replaceAll('"', '\\"')
    .replaceAll(/[\r\n]+/g, ' ')}"`;
