import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { z } from 'zod';

/** What a size was found for; others may have more room. */
export interface FittingFor {
  fingerprint: string;
  device: string;
  cacheDir: string;
}

export interface Fitting {
  /** Most images that fit into memory together. */
  images: number;
  path: string;
}

const fittingSchema = z.object({ images: z.int().positive() });

function pathOf({ fingerprint, device, cacheDir }: FittingFor): string {
  return join(cacheDir, 'fitting', `${fingerprint.slice(0, 16)}-${device.replace(':', '-')}.json`);
}

/**
 * Keeps the most images that fit into memory together for the next process: where an error of CUDA breaks the session, the
 * process has to end, and the next would run into the same. Written in one piece so small that none is ever read half.
 */
export async function rememberFitting(about: FittingFor, images: number): Promise<string> {
  const path = pathOf(about);
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, `${JSON.stringify({ images, at: new Date().toISOString() })}\n`);
  return path;
}

/** What an earlier process remembered; a file that says something else is as good as none. */
export async function readFitting(about: FittingFor): Promise<Fitting | undefined> {
  const path = pathOf(about);
  const text = await readFile(path, 'utf8').catch(() => undefined);
  if (text === undefined) return undefined;
  const { data } = fittingSchema.safeParse(jsonOf(text));
  return data && { images: data.images, path };
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
