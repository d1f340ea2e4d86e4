import { createHash } from 'node:crypto';
import { stat } from 'node:fs/promises';
import { posix, resolve } from 'node:path';
import fastGlob from 'fast-glob';
import { asClipfleetError, ClipfleetError } from '../shared/errors.ts';
import type { ImageRef } from '../shared/imageRef.ts';
import { schemeOf } from '../shared/uriScheme.ts';
import type { Address } from './address.ts';
import { imageExtensions, isGivenByFolder, walkFolder } from './folder.ts';

export interface SourceOptions {
  /** What relative paths are relative to. */
  cwd: string;
  address: Address;
}

/** All matches of a glob are in memory; a folder's files are not. */
const globMatchesMax = 1_000_000;

/** The longest id the wire format has, in UTF-16 code units. */
const idLengthMax = 1024;

/** One thing to read: a URL as it is, or a normalised path with `/`. */
type Input = { url: string } | { path: string };

/**
 * What the user typed as image refs, in the order it was typed: files (whatever their extension), folders (see
 * `walkFolder`), globs (as a shell expands them, sorted; only where no file has that very name), http(s) and data: URLs.
 *
 * A path's id is the path as given, joined with the path below it. A URL's id is the URL; a data: URL's is `data:` and 16
 * hex digits of its SHA-256. An id comes once: single inputs are remembered, and of a folder's files it is known by their
 * path that the folder gives them, so memory grows with what was typed and matched, never with what folders hold.
 *
 * Throws, before the first ref, USAGE with everything that is missing or cannot be addressed; NO_IMAGES at the end when
 * there was none.
 */
export async function* listSource(inputs: string[], options: SourceOptions): AsyncGenerator<ImageRef> {
  const given = await resolveInputs(inputs, options);
  const seen = new Set<string>();
  const folders = new Set<string>();
  let isEmpty = true;
  for (const input of given) {
    for await (const ref of refsOf(input, options, seen, folders)) {
      isEmpty = false;
      yield ref;
    }
  }
  if (isEmpty) throw noImages(inputs);
}

async function* refsOf(
  input: Input,
  options: SourceOptions,
  seen: Set<string>,
  folders: Set<string>,
): AsyncGenerator<ImageRef> {
  if ('url' in input) {
    if (!seen.has(input.url)) yield { id: idOfUrl(input.url), uri: input.url };
    seen.add(input.url);
    return;
  }
  const { path } = input;
  const isNew = (file: string) => !seen.has(file) && !isGivenByFolder(folders, file);
  const refOf = (file: string) => ({
    id: shortened(file),
    uri: options.address(resolve(options.cwd, file), file),
  });
  if (!(await isFolder(resolve(options.cwd, path)))) {
    if (isNew(path)) yield refOf(path);
    seen.add(path);
    return;
  }
  if (folders.has(path)) return;
  for await (const below of walkFolder(resolve(options.cwd, path))) {
    const file = posix.join(path, below);
    if (isNew(file)) yield refOf(file);
  }
  folders.add(path);
}

/** Looks at all inputs, so that their faults come together and before anything is enqueued. */
async function resolveInputs(inputs: string[], options: SourceOptions): Promise<Input[]> {
  const given: Input[] = [];
  const faults: string[] = [];
  for (const input of inputs) {
    try {
      for (const found of await resolveInput(input, options.cwd)) {
        if ('path' in found) options.address(resolve(options.cwd, found.path), found.path);
        given.push(found);
      }
    } catch (error) {
      faults.push(asClipfleetError(error, 'USAGE').message);
    }
  }
  if (faults.length > 0) throw new ClipfleetError('USAGE', faults.join('\n'));
  return given;
}

async function resolveInput(input: string, cwd: string): Promise<Input[]> {
  const scheme = schemeOf(input) ?? '';
  if (['http', 'https', 'data'].includes(scheme)) {
    if (scheme !== 'data' && !URL.canParse(input)) throw missing(input, 'it cannot be parsed as a URL');
    return [{ url: input }];
  }
  if (input === '') throw missing('""', 'it is empty');
  const absolute = resolve(cwd, input);
  const found = await stat(absolute).catch((error: NodeJS.ErrnoException) => error);
  if (!(found instanceof Error)) return [{ path: normalised(input) }];
  if (found.code !== 'ENOENT' && found.code !== 'ENOTDIR') throw missing(input, String(found.code));
  if (!fastGlob.isDynamicPattern(input)) throw missing(input, 'there is no such file');
  const matches = await expandGlob(input, cwd);
  if (matches.length === 0) throw missing(input, 'no file matches it');
  return matches.map((path) => ({ path }));
}

/** As a shell with `**` does it: hidden names and folders behind links need to be written out. */
async function expandGlob(pattern: string, cwd: string): Promise<string[]> {
  const matches = new Set<string>();
  const stream = fastGlob.stream(pattern, {
    cwd,
    onlyFiles: false,
    dot: false,
    followSymbolicLinks: false,
    caseSensitiveMatch: true,
    suppressErrors: false,
  });
  for await (const match of stream) {
    matches.add(normalised(String(match)));
    if (matches.size > globMatchesMax) {
      throw missing(pattern, `it matches more than ${globMatchesMax} files: give their folder instead`);
    }
  }
  return [...matches].sort();
}

async function isFolder(path: string): Promise<boolean> {
  const stats = await stat(path).catch(() => undefined);
  return stats?.isDirectory() ?? false;
}

/** `./pictures/` and `pictures` are one name. */
function normalised(path: string): string {
  const normal = posix.normalize(path);
  return normal.length > 1 && normal.endsWith('/') ? normal.slice(0, -1) : normal;
}

function idOfUrl(url: string): string {
  return schemeOf(url) === 'data' ? `data:${digest(url)}` : shortened(url);
}

/** Signed URLs may be longer than an id: a digest keeps what is cut off apart. */
function shortened(text: string): string {
  if (text.length <= idLengthMax) return text;
  const kept = text.slice(0, idLengthMax - 17).replace(/[\uD800-\uDBFF]$/, '');
  return `${kept}~${digest(text)}`;
}

function digest(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 16);
}

function missing(input: string, why: string): ClipfleetError {
  const shown = input.length > 200 ? `${input.slice(0, 200)}…` : input;
  return new ClipfleetError(
    'USAGE',
    `${shown}: expected a file, folder, glob or http(s) or data: URL, but ${why}.`,
  );
}

function noImages(inputs: string[]): ClipfleetError {
  const where =
    inputs.length === 0
      ? 'no input'
      : inputs
          .slice(0, 5)
          .map((input) => `'${input}'`)
          .join(', ');
  const more = inputs.length > 5 ? ` and ${inputs.length - 5} more` : '';
  return new ClipfleetError(
    'NO_IMAGES',
    `Expected images, found none in ${where}${more}. Looked for files ending in ${imageExtensions.join(', ')}, not in ` +
      'hidden folders; a file given by its own name is taken whatever its ending.',
  );
}
