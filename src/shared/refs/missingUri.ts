/**
 * The uri of a list's row that names no image. It reads as nothing, so that the row ends as a failed one instead of
 * stopping the millions around it; `place` says which row it was.
 */
export function missingUri(place: string): string {
  return `missing://${place}`;
}

export const missingScheme = 'missing';
