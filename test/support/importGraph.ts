import { posix } from 'node:path';

export interface SourceFile {
  /** From the repository's root, with forward slashes. */
  path: string;
  text: string;
}

export interface Import {
  /** A file of the repository for a relative import, else the package's specifier. */
  target: string;
  /** Erased when compiled. */
  typeOnly: boolean;
}

/** What a file imports: statically, lazily, and by types. */
export function importsOf({ path, text }: SourceFile): Import[] {
  const statements = [...text.matchAll(/^(?:import|export) (type\b)?(?:[^'";]*? from )?'([^']+)'/gm)];
  const calls = [...text.matchAll(/(typeof )?\bimport\('([^']+)'\)/g)];
  return [...statements, ...calls].map((match) => ({
    target: resolved(path, match[2]!),
    typeOnly: match[1] !== undefined,
  }));
}

function resolved(from: string, specifier: string): string {
  if (!specifier.startsWith('.')) return specifier;
  return posix.join(posix.dirname(from), specifier);
}

/** Every import of one of the files by another, types too. */
export function edgesOf(files: readonly SourceFile[]): [from: string, to: string][] {
  const paths = new Set(files.map(({ path }) => path));
  return files.flatMap((file) =>
    importsOf(file)
      .filter(({ target }) => paths.has(target))
      .map(({ target }): [string, string] => [file.path, target]),
  );
}

/** The folder of each end, without the edges that stay in one. */
export function folderEdges(edges: readonly (readonly [string, string])[]): [from: string, to: string][] {
  const folders = edges.map(([from, to]): [string, string] => [posix.dirname(from), posix.dirname(to)]);
  return folders.filter(([from, to]) => from !== to);
}

/** One circle of the graph, as the nodes in their order, or undefined where there is none. */
export function circleIn(edges: readonly (readonly [string, string])[]): string[] | undefined {
  const next = new Map<string, string[]>();
  for (const [from, to] of edges) next.set(from, [...(next.get(from) ?? []), to]);
  const done = new Set<string>();
  function walk(node: string, trail: readonly string[]): string[] | undefined {
    const seenAt = trail.indexOf(node);
    if (seenAt >= 0) return trail.slice(seenAt);
    if (done.has(node)) return undefined;
    for (const to of next.get(node) ?? []) {
      const circle = walk(to, [...trail, node]);
      if (circle) return circle;
    }
    done.add(node);
    return undefined;
  }
  for (const node of next.keys()) {
    const circle = walk(node, []);
    if (circle) return circle;
  }
  return undefined;
}
