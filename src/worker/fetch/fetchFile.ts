import { constants, type Stats } from 'node:fs';
import { type FileHandle, open, readlink, realpath, stat } from 'node:fs/promises';
import { hostname } from 'node:os';
import { isAbsolute, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ClipfleetError, type ErrorCode } from '../../shared/errors.ts';
import { defaultRoot, isInside, parseRootUri } from '../../shared/refs/roots.ts';
import type { ByteRange } from '../../shared/refs/tarUri.ts';
import { schemeOf } from '../../shared/refs/uriScheme.ts';
import { readPart, readWhole, shown } from './fileBytes.ts';

export interface FileOptions {
  roots: Map<string, string>;
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
 * Throws IMAGE_NOT_FOUND, IMAGE_FORBIDDEN, IMAGE_OUTSIDE_ROOTS, IMAGE_URI_INVALID, IMAGE_TOO_LARGE, READ_FAILED; of a range
 * that the file does not have, IMAGE_CORRUPT.
 */
export async function readFileUri(
  uri: string,
  options: FileOptions,
  signal: AbortSignal,
  range?: ByteRange,
): Promise<Uint8Array> {
  try {
    const place = await placeOf(uri, options);
    if (place.path.includes('\0')) throw new ClipfleetError('IMAGE_URI_INVALID', 'A path holds no NUL byte.');
    return await readPlace(place, uri, options, signal, range);
  } catch (error) {
    throw asFileError(error, uri);
  }
}

async function placeOf(uri: string, options: FileOptions): Promise<Place> {
  const scheme = schemeOf(uri);
  if (scheme === 'root') {
    const { name, path } = parseRootUri(uri);
    return placeBelow(name, path, uri, options);
  }
  const path = scheme === 'file' ? pathOfFileUrl(uri) : uri;
  if (!isAbsolute(path)) {
    const place = await placeBelow(defaultRoot, path, uri, options);
    return options.trustPaths ? { ...place, within: undefined } : place;
  }
  if (options.trustPaths) return { path, within: undefined };
  const within = [...(await realRoots(options.roots)).values()];
  const normal = resolve(path);
  // By its words first, so that nobody learns from the answers which files there are outside.
  if (![...options.roots.values(), ...within].some((directory) => isInside(directory, normal))) {
    throw outside(uri, options);
  }
  return { path: normal, within };
}

async function placeBelow(name: string, relative: string, uri: string, options: FileOptions): Promise<Place> {
  const directory = options.roots.get(name);
  if (directory === undefined) throw outside(uri, options);
  const path = resolve(directory, `./${relative}`);
  if (!options.trustPaths && !isInside(directory, path)) throw outside(uri, options);
  const real = await realRoots(options.roots);
  if (!real.has(name)) {
    throw new ClipfleetError('READ_FAILED', `Expected the directory of root "${name}"; is it mounted here?`);
  }
  return { path, within: [...real.values()] };
}

/** Followed anew for every file: a root may be a link that is moved to the next version, or a share mounted later. */
async function realRoots(roots: Map<string, string>): Promise<Map<string, string>> {
  const real = new Map<string, string>();
  for (const [name, directory] of roots) {
    const path = await realpath(directory).catch(() => undefined);
    if (path !== undefined) real.set(name, path);
  }
  return real;
}

function pathOfFileUrl(uri: string): string {
  try {
    return fileURLToPath(uri);
  } catch (error) {
    throw new ClipfleetError(
      'IMAGE_URI_INVALID',
      `Expected file:///path, got ${shown(uri)} (${(error as Error).message}).`,
    );
  }
}

async function readPlace(
  place: Place,
  uri: string,
  options: FileOptions,
  signal: AbortSignal,
  range?: ByteRange,
): Promise<Uint8Array> {
  const lies = (path: string) => place.within?.some((directory) => isInside(directory, path)) ?? true;
  const real = await realpath(place.path);
  if (!lies(real)) throw outside(uri, options);
  // O_NONBLOCK, because opening a pipe would wait for its writer, and no signal reaches that wait.
  const handle = await open(real, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY);
  try {
    const stats = await handle.stat();
    if (!stats.isFile()) throw notAFile(uri);
    // A link may have been moved between looking and opening: what counts is what was opened.
    if (place.within !== undefined && !lies(await openedPath(handle, real, stats)))
      throw outside(uri, options);
    if (range !== undefined) return await readPart(handle, range, signal);
    return await readWhole(handle, stats.size, uri, options.bytesMax, signal);
  } finally {
    await handle.close();
  }
}

/**
 * Where the opened file lies. Linux says it for the descriptor itself. Elsewhere the path is followed again and must lead
 * to the same inode, which leaves a gap for somebody who moves links twice in between.
 */
async function openedPath(handle: FileHandle, path: string, opened: Stats): Promise<string> {
  const byDescriptor = await readlink(`/proc/self/fd/${handle.fd}`).catch(() => undefined);
  if (byDescriptor !== undefined) return byDescriptor;
  const real = await realpath(path);
  const found = await stat(real);
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
  // Without an errno it is the signal's reason.
  if (typeof errno !== 'string') return error;
  const code = codeOfErrno[errno] ?? 'READ_FAILED';
  // A path means another folder on another machine or in a container: where it was looked for says most.
  const { path } = error as NodeJS.ErrnoException;
  const where = path === undefined ? '' : ` for ${shown(path)} on ${hostname()}`;
  const message = `Expected a readable file at ${shown(uri)}, got ${errno}${where}.`;
  return new ClipfleetError(code, message, { cause: error });
}
