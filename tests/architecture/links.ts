// Links of Markdown texts: what they point to must be there.
import { posix } from 'node:path';

export interface DeadLink {
  readonly path: string;
  readonly link: string;
}

/**
 * Links to files and headings that are not there. Addresses of the web are not followed.
 * @param texts Markdown by path from the root; @param exists whether a file or folder is in the checkout.
 */
export function deadLinks(texts: ReadonlyMap<string, string>, exists: (path: string) => boolean): readonly DeadLink[] {
  return [...texts].flatMap(([path, text]) =>
    linksOf(text)
      .filter((link) => !leadsSomewhere(path, link, texts, exists))
      .map((link) => ({ path, link })),
  );
}

function leadsSomewhere(from: string, link: string, texts: ReadonlyMap<string, string>, exists: (path: string) => boolean): boolean {
  if (/^[a-z][a-z0-9+.-]*:/i.test(link)) return true;
  const [file = '', heading] = link.split('#', 2);
  const path = file === '' ? from : posix.normalize(posix.join(posix.dirname(from), decodeURIComponent(file))).replace(/\/$/, '');
  if (!exists(path)) return false;
  const text = texts.get(path);
  return heading === undefined || text === undefined || headingsOf(text).has(heading);
}

function linksOf(text: string): readonly string[] {
  const prose = withoutCode(text);
  const inline = [...prose.matchAll(/\]\(<?([^)\s>]+)>?(?:\s+"[^"]*")?\)/g)].map(([, link]) => link!);
  const references = [...prose.matchAll(/^\[[^\]]+\]:\s+(\S+)/gm)].map(([, link]) => link!);
  return [...inline, ...references];
}

// Anchors as the common renderers make them.
function headingsOf(text: string): ReadonlySet<string> {
  return new Set(
    [...withoutCode(text).matchAll(/^#+\s+(.+)$/gm)].map(([, title]) =>
      title!
        .trim()
        .toLowerCase()
        .replace(/[^\p{L}\p{N}\s_-]/gu, '')
        .replace(/\s/g, '-'),
    ),
  );
}

const withoutCode = (text: string): string => text.replace(/^(```|~~~)[\s\S]*?^\1/gm, '').replace(/`[^`\n]*`/g, (code) => (code.includes('](') ? '' : code));
