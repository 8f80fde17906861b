// Pages of Git hosts about a file, as the file itself. Source: Open Workflow Specification 1.0.3, dsl.md, "Catalogs: File Structure".

const GITHUB = /^https:\/\/github\.com\/([^/]+)\/([^/]+)\/(?:tree|blob)\/([^/]+)\/(.+)$/;
const GITHUB_ROOT = /^https:\/\/github\.com\/([^/]+)\/([^/]+)\/(functions\/.+)$/;
const GITLAB = /^(https:\/\/gitlab\.com\/.+\/-\/)(?:tree|blob)\/(.+)$/;

/**
 * Where the content is that a URI means: of a page of GitHub or GitLab the file that it shows, of any other URI itself.
 * A catalogue that is the root of a GitHub repository means its default branch.
 */
export function rawUriOf(uri: string): string {
  const [, owner, repository, branch, path] = GITHUB.exec(uri) ?? [];
  if (path !== undefined) return `https://raw.githubusercontent.com/${owner}/${repository}/refs/heads/${branch}/${path}`;
  const root = GITHUB_ROOT.exec(uri);
  if (root) return `https://raw.githubusercontent.com/${root[1]}/${root[2]}/HEAD/${root[3]}`;
  const lab = GITLAB.exec(uri);
  return lab ? `${lab[1]}raw/${lab[2]}` : uri;
}
