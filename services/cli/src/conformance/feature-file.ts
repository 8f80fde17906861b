// Feature files as far as the conformance suite of the Open Workflow Specification goes. Source: Gherkin reference, cucumber.io.

/** One step: its sentence without the keyword, and the text in quotes that belongs to it. */
export interface FeatureStep {
  readonly text: string;
  readonly line: number;
  readonly docString?: string;
}

export interface Scenario {
  readonly feature: string;
  readonly name: string;
  readonly line: number;
  readonly steps: readonly FeatureStep[];
}

/** What stands at the head of a feature: its name, and the paragraphs that tell people what it is for. */
export interface FeatureHead {
  readonly name: string;
  readonly paragraphs: readonly string[];
}

/** Reads the head of a feature file; lines that follow each other are one paragraph. */
export function readFeatureHead(text: string): FeatureHead {
  const [head = ''] = text.split(/^\s*(?:Scenario|Example):/m);
  const lines = head.split(/\r?\n/).map((line) => line.trim());
  const at = lines.findIndex((line) => line.startsWith('Feature:'));
  const paragraphs = lines
    .slice(at + 1)
    .filter((line) => !line.startsWith('#'))
    .join('\n')
    .split(/\n{2,}/)
    .map((paragraph) => paragraph.replace(/\n/g, ' ').trim())
    .filter((paragraph) => paragraph !== '');
  return { name: lines[at]?.slice('Feature:'.length).trim() ?? '', paragraphs };
}

const KEYWORD = /^(?:Given|When|Then|And|But|\*)\s+/;

/** Reads scenarios. @throws Error naming the line of what is not understood. */
export function readFeature(text: string): readonly Scenario[] {
  const lines = text.split(/\r?\n/);
  const scenarios: { feature: string; name: string; line: number; steps: { text: string; line: number; docString?: string }[] }[] = [];
  let feature = '';
  for (let at = 0; at < lines.length; at++) {
    const line = lines[at]!.trim();
    if (line === '' || line.startsWith('#')) continue;
    const scenario = /^(?:Scenario|Example):\s*(.*)$/.exec(line);
    if (line.startsWith('Feature:')) feature = line.slice('Feature:'.length).trim();
    else if (scenario) scenarios.push({ feature, name: scenario[1]!, line: at + 1, steps: [] });
    else if (scenarios.length > 0 && KEYWORD.test(line)) {
      scenarios.at(-1)!.steps.push({ text: line.replace(KEYWORD, ''), line: at + 1 });
    } else if (line.startsWith('"""')) {
      const end = lines.findIndex((other, i) => i > at && other.trim() === '"""');
      const step = scenarios.at(-1)?.steps.at(-1);
      if (end < 0 || !step) throw new Error(`Expected a step before the text in line ${at + 1}, and its end.`);
      const indent = lines[at]!.length - lines[at]!.trimStart().length;
      step.docString = lines
        .slice(at + 1, end)
        .map((inside) => inside.slice(Math.min(indent, inside.length - inside.trimStart().length)))
        .join('\n');
      at = end;
      // What stands before the first scenario tells people what the feature is for.
    } else if (scenarios.length > 0) throw new Error(`Expected a step, a scenario or a text but line ${at + 1} is ${JSON.stringify(line.slice(0, 80))}.`);
  }
  if (scenarios.length === 0) throw new Error('Expected at least one scenario but there is none.');
  return scenarios;
}
