import { closeSync, constants, fstatSync, openSync, readlinkSync, type Stats, statSync } from 'node:fs';
import { hostname } from 'node:os';
import { isAbsolute, resolve } from 'node:path';
import { ClipfleetError, type ErrorCode } from '../../shared/errors.ts';
import { followLinks, nameOfBytes, pathBytes } from '../../shared/refs/byteNames.ts';
import { pathOfFileUri } from '../../shared/refs/fileUri.ts';
import { defaultRoot, isInside, parseRootUri, realPath } from '../../shared/refs/roots.ts';
import { shown } from '../../shared/refs/shownUri.ts';
import type { ByteRange } from '../../shared/refs/tarUri.ts';
import { schemeOf } from '../../shared/refs/uriScheme.ts';
import { readPart, readWhole } from './fileBytes.ts';

export interface FileOptions {
  /** Root name → directory. `.` is the root of plain relative paths. */
  roots: Map<string, string>;
  /** Plain paths and `file:` URLs are read wherever they lead: for the user's own `label`, never for a fleet. */
  trustPaths: boolean;
  bytesMax: number;
}

/** A file to read, and the real directories it must turn out to lie in; undefined when it may lie anywhere. */
interface Place {
  path: string;
  within: string[] | undefined;
}

/**
 * The bytes of a plain path, a `file:` URL or `root://NAME/path`, at most `bytesMax`, or those of a range in it. Only regular
 * files that lie under a root, links followed, are read.
 *
 * Blocks until the bytes are there, which is what a process that does one image at a time wants.
 *
 * Throws IMAGE_NOT_FOUND, IMAGE_FORBIDDEN, IMAGE_OUTSIDE_ROOTS, IMAGE_URI_INVALID, IMAGE_TOO_LARGE, READ_FAILED; of a range
 * that the file does not have, IMAGE_CORRUPT.
 */
export function readFileUri(uri: string, options: FileOptions, range?: ByteRange): Uint8Array {
  try {
    const place = placeOf(uri, options);
    if (place.path.includes('\0')) throw new ClipfleetError('IMAGE_URI_INVALID', 'A path holds no NUL byte.');
    return readPlace(place, uri, options, range);
  } catch (error) {
    throw asFileError(error, uri);
  }
}

function placeOf(uri: string, options: FileOptions): Place {
  const scheme = schemeOf(uri);
  if (scheme === 'root') {
    const { name, path } = parseRootUri(uri);
    return placeBelow(name, path, uri, options);
  }
  const path = scheme === 'file' ? pathOfFileUrl(uri) : uri;
  if (!isAbsolute(path)) {
    const place = placeBelow(defaultRoot, path, uri, options);
    return options.trustPaths ? { ...place, within: undefined } : place;
  }
  if (options.trustPaths) return { path, within: undefined };
  const within = [...realRoots(options.roots).values()];
  const normal = resolve(path);
  // By its words first, so that nobody learns from the answers which files there are outside.
  if (![...options.roots.values(), ...within].some((directory) => isInside(directory, normal))) {
    throw outside(uri, options);
  }
  return { path: normal, within };
}

function placeBelow(name: string, relative: string, uri: string, options: FileOptions): Place {
  const directory = options.roots.get(name);
  if (directory === undefined) throw outside(uri, options);
  const path = resolve(directory, `./${relative}`);
  if (!options.trustPaths && !isInside(directory, path)) throw outside(uri, options);
  const real = realRoots(options.roots);
  if (!real.has(name)) {
    throw new ClipfleetError('READ_FAILED', `Expected the directory of root "${name}"; is it mounted here?`);
  }
  return { path, within: [...real.values()] };
}

/** Followed anew for every file: a root may be a link that is moved to the next version, or a share mounted later. */
function realRoots(roots: Map<string, string>): Map<string, string> {
  const real = new Map<string, string>();
  for (const [name, directory] of roots) {
    const path = realPath(directory);
    if (path !== undefined) real.set(name, path);
  }
  return real;
}

function pathOfFileUrl(uri: string): string {
  try {
    return pathOfFileUri(uri);
  } catch (error) {
    throw new ClipfleetError(
      'IMAGE_URI_INVALID',
      `Expected file:///path, got ${shown(uri)} (${(error as Error).message}).`,
    );
  }
}

function readPlace(place: Place, uri: string, options: FileOptions, range?: ByteRange): Uint8Array {
  const lies = (path: string) => place.within?.some((directory) => isInside(directory, path)) ?? true;
  const real = followLinks(place.path);
  if (!lies(real)) throw outside(uri, options);
  // O_NONBLOCK, because opening a pipe would wait for its writer.
  const file = openSync(pathBytes(real), constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY);
  try {
    const stats = fstatSync(file);
    if (!stats.isFile()) throw notAFile(uri);
    // A link may have been moved between looking and opening: what counts is what was opened.
    if (place.within !== undefined && !lies(openedPath(file, real, stats))) throw outside(uri, options);
    if (range !== undefined) return readPart(file, range);
    return readWhole(file, stats.size, uri, options.bytesMax);
  } finally {
    closeSync(file);
  }
}

/**
 * Where the opened file lies. Linux says it for the descriptor itself. Elsewhere the path is followed again and must lead
 * to the same inode, which leaves a gap for somebody who moves links twice in between.
 */
function openedPath(file: number, path: string, opened: Stats): string {
  try {
    return nameOfBytes(readlinkSync(`/proc/self/fd/${file}`, { encoding: 'buffer' }));
  } catch {
    // There is no /proc.
  }
  const real = followLinks(path);
  const found = statSync(pathBytes(real));
  if (found.dev === opened.dev && found.ino === opened.ino) return real;
  throw new ClipfleetError('READ_FAILED', 'Expected one file, but it was moved while it was opened.');
}

function outside(uri: string, options: FileOptions): ClipfleetError {
  const names = [...options.roots.keys()].map((name) => `"${name}"`).join(', ') || 'none';
  return new ClipfleetError(
    'IMAGE_OUTSIDE_ROOTS',
    `Expected a path under a root of this worker (${names}), got ${shown(uri)}; serve its folder with --root NAME=DIR.`,
  );
}

function notAFile(uri: string): ClipfleetError {
  return new ClipfleetError(
    'IMAGE_NOT_FOUND',
    `Expected a regular file at ${shown(uri)}, got something else.`,
  );
}

const codeOfErrno: Record<string, ErrorCode> = {
  ENOENT: 'IMAGE_NOT_FOUND',
  ENOTDIR: 'IMAGE_NOT_FOUND',
  ENAMETOOLONG: 'IMAGE_NOT_FOUND',
  ELOOP: 'IMAGE_NOT_FOUND',
  // What open says to a socket.
  ENXIO: 'IMAGE_NOT_FOUND',
  EACCES: 'IMAGE_FORBIDDEN',
  EPERM: 'IMAGE_FORBIDDEN',
};

function asFileError(error: unknown, uri: string): unknown {
  if (error instanceof ClipfleetError) return error;
  const errno = (error as NodeJS.ErrnoException).code;
  if (typeof errno !== 'string') return error;
  const code = codeOfErrno[errno] ?? 'READ_FAILED';
  // A path means another folder on another machine or in a container: where it was looked for says most.
  const { path } = error as NodeJS.ErrnoException;
  const where = path === undefined ? '' : ` for ${shown(path)} on ${hostname()}`;
  const message = `Expected a readable file at ${shown(uri)}, got ${errno}${where}.`;
  return new ClipfleetError(code, message, { cause: error });
}
