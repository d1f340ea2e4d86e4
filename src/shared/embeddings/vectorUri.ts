import { basename } from 'node:path';
import { vectorSuffix } from './vectorWriter.ts';

/** Where a kept vector is: bytes of a file in its run's folder. */
export interface VectorBytes {
  file: string;
  from: number;
  to: number;
}

/** The uri of an image that is labeled from its vector: `vector:FROM-TO/FILE`. */
export function vectorUri({ file, from, to }: VectorBytes): string {
  return `vector:${from}-${to}/${file}`;
}

/** Undefined for what is no such uri; the file's name leads out of no folder. */
export function parseVectorUri(uri: string): VectorBytes | undefined {
  const [, from, to, file = ''] = /^vector:(\d{1,15})-(\d{1,15})\/([^/]+)$/.exec(uri) ?? [];
  if (!file.endsWith(vectorSuffix) || basename(file) !== file) return undefined;
  return { file, from: Number(from), to: Number(to) };
}
