/** How often something came, and where it came first. */
export type Tally = Map<string, { count: number; first: string }>;

export function tally(counts: Tally, what: string, where: string): void {
  const before = counts.get(what);
  counts.set(what, { count: (before?.count ?? 0) + 1, first: before?.first ?? where });
}
