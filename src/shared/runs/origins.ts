import { chunkOf } from './chunkJob.ts';

/** @param parts the ledger's hash: of a chunk how many parts it has, of a part the ranges of numbers of those taken out of it */
export function originsIn(parts: Record<string, string>): (part: string) => string[] {
  const from = new Map<string, string>();
  for (const [piece, ranges] of Object.entries(parts)) {
    for (const [, first, last] of ranges.matchAll(/(\d+)-(\d+)/g))
      for (let part = Number(first); part <= Number(last); part++)
        from.set(`${chunkOf(piece)}/${part}`, piece);
  }
  return (part) => {
    const origins = [String(chunkOf(part))];
    for (let piece = from.get(part); piece !== undefined; piece = from.get(piece)) origins.push(piece);
    return origins;
  };
}
