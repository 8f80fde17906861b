import type { JsonObject } from '@weft/kernel';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { dotText } from './dot.js';
import { mermaidText } from './mermaid.js';
import { workflowGraph } from './workflow-graph.js';

const graphOf = (text: string) => workflowGraph(parse(text) as JsonObject);

const ORDER = `
do:
  - choose: {switch: [{big: {when: .total > 100, then: approve}}, {rest: {then: pay}}]}
  - approve: {call: review, with: {title: t, subject: 1}}
  - pay:
      try: [{charge: {call: http, with: {}}}, {note: {set: {x: 1}, then: exit}}]
      catch: {do: [{tell: {emit: {}}}]}
  - pack: {fork: {branches: [{a: {set: {x: 1}}}, {b: {for: {each: line, in: .lines}, do: [{c: {wait: PT1S}}]}}]}}
  - done: {if: .again, set: {x: 1}, then: choose}
`;

// A line of what mermaidText writes; Mermaid itself takes more.
const NODE = /^n\d+(?:\(\["[^"]*"\]\)|\{"[^"]*"\}|\[\/"[^"]*"\/\]|\[\\"[^"]*"\\\]|\("[^"]*"\)|>"[^"]*"\]|\[\["[^"]*"\]\]|\["[^"]*"\])$/;
const EDGE = /^n(\d+) (?:-->|==>|-\.->)(?:\|"[^"|]*"\|)? n(\d+)$/;

/** Reads a flowchart strictly: balanced subgraphs, each id declared once, no edge to what is not there, nothing unescaped in a label. */
function judged(text: string): { readonly nodes: number; readonly edges: number } {
  const [head, ...lines] = text.trimEnd().split('\n');
  expect(head).toBe('flowchart TD');
  const ids: string[] = [];
  const ends: string[] = [];
  let depth = 0;
  for (const line of lines.map((one) => one.trim())) {
    for (const label of line.match(/"[^"]*"/g) ?? []) expect(label.slice(1, -1).replaceAll(/#\d+;/g, '')).not.toMatch(/[#;<>`&|"()[\]{}\\*~]/);
    const edge = EDGE.exec(line);
    if (edge) ends.push(edge[1]!, edge[2]!);
    else if (line === 'end') depth--;
    else if (/^subgraph n\d+\["[^"]*"\]$/.test(line)) [depth, ids[ids.length]] = [depth + 1, /\d+/.exec(line)![0]];
    else {
      expect(line).toMatch(NODE);
      ids.push(/\d+/.exec(line)![0]);
    }
    expect(depth).toBeGreaterThanOrEqual(0);
  }
  expect(depth).toBe(0);
  expect(new Set(ids).size).toBe(ids.length);
  for (const end of ends) expect(ids).toContain(end);
  return { nodes: ids.length, edges: ends.length / 2 };
}

describe('the graph of a workflow', () => {
  it('has tasks by pointer, lists within tasks as groups, and what follows what with when', () => {
    const { nodes, groups, edges } = graphOf(ORDER);
    expect(nodes.map(({ id, label }) => `${id} ${label}`)).toMatchSnapshot();
    expect(groups.map(({ id, label, parent, nodes: own }) => `${label} ${id} in ${parent ?? '-'}: ${own.length}`)).toMatchSnapshot();
    expect(edges.map(({ from, to, label, kind }) => `${from} ${kind} ${to} ${label}`.trim())).toMatchSnapshot();
  });

  it('is drawn as Mermaid', () => {
    const text = mermaidText(graphOf(ORDER));
    expect(text).toMatchSnapshot();
    expect(judged(text)).toEqual({ nodes: 17, edges: 14 });
  });

  it('is drawn for Graphviz', () => {
    expect(dotText(graphOf(ORDER))).toMatchSnapshot();
  });

  it('escapes whatever names and conditions hold', () => {
    const name = 'end"] --> x; %% <b>`*_~&| \\ ; subgraph (a) Größe #1';
    const graph = workflowGraph({ do: [{ [name]: { switch: [{ a: { when: '.a == "|\n}"', then: 'exit' } }] } }, { 日本: { set: { x: 1 } } }] });
    judged(mermaidText(graph));
    expect(mermaidText(graph)).toContain('Größe');
    expect(dotText(graph)).toContain(String.raw`label=".a == \"| }\""`);
  });

  const folder = `${process.env['WEFT_FIXTURES'] ?? fileURLToPath(new URL('../../../../../shared/fixtures', import.meta.url))}/ows/examples`;
  it.skipIf(!existsSync(folder))('is drawn for every example of the specification (skipped: ../shared/fixtures/ows/examples is not there)', () => {
    for (const file of readdirSync(folder)) {
      const document = parse(readFileSync(`${folder}/${file}`, 'utf8')) as JsonObject;
      const text = mermaidText(workflowGraph(document));
      expect(judged(text).nodes).toBeGreaterThanOrEqual(3);
      expect(mermaidText(workflowGraph(structuredClone(document)))).toBe(text);
    }
  });
});
