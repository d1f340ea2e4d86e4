import { realpath } from 'node:fs/promises';
import { dirname, relative, sep } from 'node:path';

/** A folder, and the paths of files from there, with slashes. */
export interface RealPlaces {
  folder: string;
  /** By the paths that were given. */
  locations: ReadonlyMap<string, string>;
}

/**
 * Where files really lie, below one folder: onnxruntime refuses weights whose path, links followed, leaves the folder that it is
 * told of, and the Hub's cache is made of links.
 */
export async function realPlaces(files: readonly string[]): Promise<RealPlaces> {
  const real = await Promise.all(files.map(async (file) => [file, await realpath(file)] as const));
  const shared = real.map(([, path]) => dirname(path).split(sep)).reduce(commonStart);
  const folder = shared.join(sep) || sep;
  const locations = real.map(([file, path]) => [file, relative(folder, path).replaceAll(sep, '/')] as const);
  return { folder, locations: new Map(locations) };
}

function commonStart(a: string[], b: string[]): string[] {
  const end = a.findIndex((part, i) => part !== b[i]);
  return end < 0 ? a : a.slice(0, end);
}
