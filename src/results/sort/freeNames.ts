import { extname } from 'node:path';

/**
 * Names that clash in no file system: those that differ in case or in the form of their accents alone are one on macOS, Windows and
 * many shares.
 */
export function foldedName(name: string): string {
  return name.normalize('NFC').toLowerCase();
}

/** The name itself, then `name-2.jpg`, `name-3.jpg` ... */
export function* numberedNames(name: string): Generator<string> {
  yield name;
  const ending = extname(name);
  const stem = name.slice(0, name.length - ending.length);
  for (let number = 2; ; number++) yield `${stem}-${number}${ending}`;
}
