import { createReadStream } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { asClipfleetError, ClipfleetError } from '../../shared/errors.ts';
import type { TextFormat } from '../../shared/options/sourceOptions.ts';
import type { ImageRef } from '../../shared/refs/imageRef.ts';
import type { RemoteReader } from '../../shared/refs/remoteReader.ts';
import { formatTarUri } from '../../shared/refs/tarUri.ts';
import { schemeOf } from '../../shared/refs/uriScheme.ts';
import { asUtf8, unpacked } from '../bytes/lines.ts';
import { inPieces, openFileBytes, openRemoteBytes, type RangedBytes } from '../bytes/rangedBytes.ts';
import { shortened } from '../images/imageId.ts';
import { isImageName } from '../images/imageName.ts';
import type { OnLeftOut } from '../images/leftOut.ts';
import { tarImages } from '../images/tarMembers.ts';
import { detectFormat } from '../lists/detectFormat.ts';
import type { ColumnChoice } from '../lists/listColumns.ts';
import type { ListRow } from '../lists/listRow.ts';
import { listRows } from '../lists/listRows.ts';
import { parquetRows } from '../lists/parquetRows.ts';
import type { Address } from './address.ts';
import { type InputFormat, nameOf } from './inputFormat.ts';
import { type ListPlace, listRefs } from './listRefs.ts';

export interface SourceOptions extends ColumnChoice {
  /** What relative paths are relative to. */
  cwd: string;
  address: Address;
  /** Reads lists, archives and buckets that lie elsewhere. */
  remote: RemoteReader;
  /** What `-` is. */
  stdin: AsyncIterable<Uint8Array>;
  /** The format of standard input; its first line decides when absent. */
  inputFormat?: TextFormat | undefined;
  /** Told of what folders, archives and buckets have and that is no image by its name; a bucket's objects without an ending, too. */
  onLeftOut?: OnLeftOut | undefined;
}

/** The images of a list or an archive, at a path or URL. Throws USAGE, SOURCE_INVALID, SOURCE_UNAVAILABLE. */
export async function* sourceRefs(
  location: string,
  format: InputFormat,
  options: SourceOptions,
): AsyncGenerator<ImageRef> {
  try {
    if (format === 'tar')
      yield* withBytes(location, options, (bytes) => memberRefs(bytes, location, options));
    else yield* listRefs(rowsAt(location, format, options), placeOf(location, options), options.address);
  } catch (error) {
    throw asSourceError(error, location);
  }
}

/** The rows of a list, at a path or URL. Throws USAGE, SOURCE_INVALID, SOURCE_UNAVAILABLE. */
export async function* sourceRows(
  location: string,
  format: Exclude<InputFormat, 'tar'>,
  options: SourceOptions,
): AsyncGenerator<ListRow> {
  try {
    yield* rowsAt(location, format, options);
  } catch (error) {
    throw asSourceError(error, location);
  }
}

/** The images of a bucket, those of names that begin with `prefix`, hidden ones left out as in a folder. */
export async function* objectRefs(
  prefix: string,
  { remote, onLeftOut }: SourceOptions,
): AsyncGenerator<ImageRef> {
  const isHidden = (below: string) => below.split('/').some((name) => name.startsWith('.'));
  try {
    for await (const uri of remote.listObjects(prefix)) {
      // A key that ends with a slash stands for a folder.
      if (uri.endsWith('/') || isHidden(uri.slice(prefix.lastIndexOf('/') + 1))) continue;
      if (isImageName(nameOf(uri))) yield { id: shortened(uri), uri };
      else onLeftOut?.(nameOf(uri));
    }
  } catch (error) {
    throw asSourceError(error, prefix);
  }
}

/** The images of standard input; relative paths are relative to the working directory. */
export async function* stdinRefs(options: SourceOptions): AsyncGenerator<ImageRef> {
  const detected = await detectFormat(asUtf8(unpacked(options.stdin)), options);
  const rows = listRows(options.inputFormat ?? detected.format, detected.all, '-', options);
  yield* listRefs(rows, { name: '-', base: options.cwd }, options.address);
}

export function isLocal(location: string): boolean {
  return schemeOf(location) === undefined;
}

function placeOf(location: string, { cwd }: SourceOptions): ListPlace {
  return { name: location, base: isLocal(location) ? dirname(resolve(cwd, location)) : location };
}

async function* rowsAt(location: string, format: Exclude<InputFormat, 'tar'>, options: SourceOptions) {
  if (format === 'parquet') {
    yield* withBytes(location, options, (bytes) => parquetRows(bytes, location, options));
  } else if (isLocal(location)) {
    const bytes = createReadStream(resolve(options.cwd, location));
    yield* listRows(format, unpacked(bytes), location, options);
  } else {
    yield* withBytes(location, options, (bytes) =>
      listRows(format, unpacked(inPieces(bytes)), location, options),
    );
  }
}

/** Named as in WebDataset: the shard, then the member's path in it. */
async function* memberRefs(
  bytes: RangedBytes,
  location: string,
  { cwd, address, onLeftOut }: SourceOptions,
): AsyncGenerator<ImageRef> {
  const archive = isLocal(location) ? address(resolve(cwd, location), location) : location;
  const shard = shardName(location);
  for await (const { name, ...range } of tarImages(bytes, location, onLeftOut)) {
    yield { id: shortened(`${shard}/${name}`), uri: formatTarUri(range, archive) };
  }
}

/** What the ids of an archive's images begin with: its name without the ending. */
export function shardName(location: string): string {
  return nameOf(location).replace(/\.tar$/i, '');
}

async function* withBytes<T>(
  location: string,
  { cwd, remote }: SourceOptions,
  read: (bytes: RangedBytes) => AsyncGenerator<T>,
): AsyncGenerator<T> {
  const bytes = isLocal(location)
    ? await openFileBytes(resolve(cwd, location))
    : await openRemoteBytes(location, remote);
  try {
    yield* read(bytes);
  } finally {
    await bytes.close();
  }
}

/** What reading says of an image, said of the source it is. */
function asSourceError(error: unknown, location: string): ClipfleetError {
  const { code, message, retry } = asClipfleetError(error, 'SOURCE_UNAVAILABLE');
  if (['USAGE', 'SOURCE_INVALID', 'SOURCE_UNAVAILABLE'].includes(code) && error instanceof ClipfleetError)
    return error;
  const said = message.startsWith(location) ? message : `${location}: ${message}`;
  return new ClipfleetError(retry ? 'SOURCE_UNAVAILABLE' : 'USAGE', said, { cause: error });
}
