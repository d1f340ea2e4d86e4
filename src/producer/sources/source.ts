import { posix, resolve } from 'node:path';
import { ClipfleetError } from '../../shared/errors.ts';
import { shownName } from '../../shared/refs/byteNames.ts';
import type { ImageRef } from '../../shared/refs/imageRef.ts';
import { isGivenByFolder, walkFolder } from '../images/folder.ts';
import { idOfUri, shortened } from '../images/imageId.ts';
import { imageExtensions } from '../images/imageName.ts';
import { type Input, resolveInputs } from './inputs.ts';
import { isLocal, objectRefs, type SourceOptions, shardName, sourceRefs, stdinRefs } from './sourceRefs.ts';

/** What has been given, so that it is given once. */
interface Given {
  /** Names of single inputs. */
  names: Set<string>;
  folders: Set<string>;
}

/**
 * What the user typed as image refs, in the order it was typed; docs/sources.md has the rules. Files, folders (see
 * `walkFolder`), globs and braces (as a shell expands them; only where no file has that very name), http(s), s3: and data:
 * URLs, lists and archives by their endings, whole buckets, and `-` for standard input.
 *
 * A path's id is the path as given, joined with the path below it. A URL's id is the URL; a data: URL's is `data:` and 16
 * hex digits of its SHA-256. Of files and URLs an id comes once: single inputs are remembered, and of a folder's files it is
 * known by their path that the folder gives them. Rows of lists, members of archives and objects of buckets are not
 * remembered. So memory grows with what was typed and matched, never with what that holds.
 *
 * Throws, before the first ref, USAGE with everything that is missing, cannot be addressed, or is no list; while it reads,
 * SOURCE_INVALID and SOURCE_UNAVAILABLE; NO_IMAGES at the end when there was none.
 */
export async function* listSource(typed: string[], options: SourceOptions): AsyncGenerator<ImageRef> {
  const inputs = await resolveInputs(typed, options.cwd, checker(options));
  const given = { names: new Set<string>(), folders: new Set<string>() };
  let isEmpty = true;
  for (const input of inputs) {
    for await (const ref of refsOf(input, options, given)) {
      isEmpty = false;
      yield ref;
    }
  }
  if (isEmpty) throw noImages(typed);
}

function refsOf(
  input: Input,
  options: SourceOptions,
  given: Given,
): AsyncIterable<ImageRef> | Iterable<ImageRef> {
  if (input.kind === 'folder') return folderRefs(input.path, options, given);
  if (input.kind === 'file') return fileRefs(input.path, options, given);
  const name = nameOfInput(input);
  if (given.names.has(name)) return [];
  given.names.add(name);
  if (input.kind === 'url') return [{ id: idOfUri(input.url), uri: input.url }];
  if (input.kind === 'objects') return objectRefs(input.prefix, options);
  if (input.kind === 'stdin') return stdinRefs(options);
  return sourceRefs(input.location, input.format, options);
}

function nameOfInput(input: Exclude<Input, { kind: 'folder' | 'file' }>): string {
  if (input.kind === 'url') return input.url;
  if (input.kind === 'objects') return input.prefix;
  return input.kind === 'stdin' ? '-' : input.location;
}

function* fileRefs(path: string, options: SourceOptions, given: Given): Generator<ImageRef> {
  if (isNew(path, given)) yield refOf(path, options);
  given.names.add(path);
}

async function* folderRefs(path: string, options: SourceOptions, given: Given): AsyncGenerator<ImageRef> {
  if (given.folders.has(path)) return;
  for await (const below of walkFolder(resolve(options.cwd, path), options.onLeftOut)) {
    const file = posix.join(path, below);
    if (isNew(file, given)) yield refOf(file, options);
  }
  given.folders.add(path);
}

function isNew(file: string, { names, folders }: Given): boolean {
  return !names.has(file) && !isGivenByFolder(folders, file);
}

function refOf(file: string, { cwd, address }: SourceOptions): ImageRef {
  return { id: shortened(shownName(file)), uri: address(resolve(cwd, file), file) };
}

/**
 * Says of each input what is wrong with it before anything is started for it: a path that cannot be addressed, a list here
 * whose first row cannot be read, two archives of one name, whose members would have the same ids.
 */
function checker(options: SourceOptions): (input: Input) => Promise<void> {
  const shards = new Map<string, string>();
  return async (input) => {
    if (input.kind === 'file' || input.kind === 'folder') refOf(input.path, options);
    if (input.kind !== 'source') return;
    const { location, format } = input;
    if (format === 'tar') {
      const shard = shardName(location);
      const other = shards.get(shard) ?? location;
      if (other !== location) throw sameShard(other, location);
      shards.set(shard, location);
    }
    if (!isLocal(location)) return;
    const refs = sourceRefs(location, format, options);
    await refs.next();
    await refs.return(undefined);
  };
}

function sameShard(one: string, other: string): ClipfleetError {
  const message = `${other}: expected archives of different names, because ids are made of them, got ${one} too; give them runs of their own.`;
  return new ClipfleetError('USAGE', message);
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
      'hidden folders, and for files without an ending that begin as an image; a file given by its own name is always taken.',
  );
}
