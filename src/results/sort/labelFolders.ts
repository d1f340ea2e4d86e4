import sanitize from 'sanitize-filename';
import { foldedName, numberedNames } from './freeNames.ts';

/** File systems take 255 bytes; a number may follow. */
const NAME_BYTES_MAX = 240;

/**
 * A folder's name for each label: the label itself, where it can be one on every system. What a name may not have becomes `_`; two labels
 * never share a folder.
 */
export function labelFolders(labels: readonly string[]): Map<string, string> {
  const taken = new Set<string>();
  const folders = new Map<string, string>();
  // Labels that need no other name keep their own, whatever comes before them.
  const plainFirst = [...labels].sort((a, b) => Number(folderName(b) === b) - Number(folderName(a) === a));
  for (const label of plainFirst) {
    for (const name of numberedNames(folderName(label))) {
      if (taken.has(foldedName(name))) continue;
      taken.add(foldedName(name));
      folders.set(label, name);
      break;
    }
  }
  return folders;
}

function folderName(label: string): string {
  // A dot in front would hide the folder; spaces at the ends are seen by nobody.
  const name = sanitize(label.trim(), { replacement: '_' }).replace(/^\./, '_');
  let cut = '';
  for (const character of name) {
    if (Buffer.byteLength(cut + character) > NAME_BYTES_MAX) break;
    cut += character;
  }
  return cut.trim() || '_';
}
