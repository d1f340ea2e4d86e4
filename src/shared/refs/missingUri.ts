/**
 * The uri of a list's row that names no image. It reads as nothing, so that the row ends as a failed one instead of
 * stopping the millions around it; `place` says which row it was, `fault` what is wrong with it where that is known.
 */
export function missingUri(place: string, fault?: string): string {
  return `missing://${place}${fault === undefined ? '' : `#${fault}`}`;
}

export const missingScheme = 'missing';
