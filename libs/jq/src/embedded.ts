/**
 * The expression inside a text that is wholly one `${ ... }`, trimmed, or undefined when the text is a plain one.
 * Several expressions in one text, or one among other characters, make a plain text.
 * Source: Open Workflow Specification 1.0.3, runtime expressions.
 */
export function embeddedExpression(text: string): string | undefined {
  const trimmed = text.trim();
  if (!trimmed.startsWith('${') || !trimmed.endsWith('}')) return undefined;
  return closingBrace(trimmed) === trimmed.length - 1 ? trimmed.slice(2, -1).trim() : undefined;
}

/** Whether a text is wholly one `${ ... }`. */
export function isRuntimeExpression(text: string): boolean {
  return embeddedExpression(text) !== undefined;
}

/** Offset of the brace that closes the first one. Braces in text literals do not count, those in their interpolations do. */
function closingBrace(text: string): number {
  const open: string[] = [];
  for (let i = 1; i < text.length; i++) {
    const character = text[i]!;
    if (open.at(-1) === '"') {
      if (character === '"') open.pop();
      else if (character === '\\' && text[++i] === '(') open.push('(');
    } else if (character === '"' || character === '{' || character === '(') open.push(character);
    else if (character === '}' || character === ')') {
      open.pop();
      if (open.length === 0) return i;
    }
  }
  // Unbalanced: the parser of the expression finds the words for it.
  return text.length - 1;
}
