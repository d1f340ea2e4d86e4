import type { Suspect } from '../../shared/runs/losses.ts';

/** An image is condemned when so many processes died that worked on it and on nothing else. One may be chance. */
export const DEATHS_MAX = 2;

/** How the images of a piece are to be worked on. */
export type LossPlan<T> =
  | { kind: 'together' | 'alone' }
  /** In other pieces than this one, but for those that are condemned. */
  | { kind: 'divided'; parts: T[][]; condemned: T[] };

/**
 * After a loss, images go on in pieces half as large, down to one image; a suspect of one image is worked on alone. What was lost with many
 * others says little, so each image counts the smallest piece that it was lost with.
 */
export function planOf<T>(images: readonly T[], suspectOf: (image: T) => Suspect | undefined): LossPlan<T> {
  const condemned: T[] = [];
  /** By the most images that may be in a piece; of those that never were lost, any number. */
  const groups = new Map<number, T[]>();
  for (const image of images) {
    const suspect = suspectOf(image);
    if (suspect && suspect.deaths >= DEATHS_MAX) condemned.push(image);
    else {
      const most = suspect ? Math.max(1, Math.floor(suspect.size / 2)) : Number.POSITIVE_INFINITY;
      groups.set(most, [...(groups.get(most) ?? []), image]);
    }
  }
  const parts = [...groups].flatMap(([most, group]) => piecesOf(group, most));
  if (condemned.length > 0 || parts.length > 1) return { kind: 'divided', parts, condemned };
  const isSuspect = [...groups.keys()].some((most) => most === 1);
  return { kind: isSuspect ? 'alone' : 'together' };
}

function piecesOf<T>(images: readonly T[], most: number): T[][] {
  const pieces: T[][] = [];
  for (let from = 0; from < images.length; from += most) pieces.push(images.slice(from, from + most));
  return pieces;
}
