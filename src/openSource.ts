import { type Address, rootAddress } from './producer/sources/address.ts';
import { type OtherColumns, readOtherColumns } from './producer/sources/otherColumns.ts';
import { listSource } from './producer/sources/source.ts';
import { defaultOf } from './shared/options/config.ts';
import type { TextFormat } from './shared/options/sourceOptions.ts';
import type { ImageRef } from './shared/refs/imageRef.ts';
import { defaultRoot } from './shared/refs/roots.ts';
import { openRemote } from './worker/fetch/openRemote.ts';

/** The settings of lists. */
export const listOptions = ['urlColumn', 'idColumn', 'inputFormat'] as const;

/** The settings of reading lists and archives that lie elsewhere; a worker's images have the same. */
export const remoteOptions = [
  'fetchTimeoutMs',
  'redirectsMax',
  'allowPrivateAddresses',
  'userAgent',
] as const;

export interface OpenSourceOptions {
  /** What relative paths are relative to; the working directory when absent. */
  cwd?: string;
  /** How paths are named to the workers; below `cwd`, and relative to it, when absent. */
  address?: Address;
  /** The column of paths and URLs in tables, instead of the usual names. */
  urlColumn?: string | undefined;
  /** The column of ids, instead of the usual names. */
  idColumn?: string | undefined;
  /** The format of standard input; its first line decides when absent. */
  inputFormat?: TextFormat | undefined;
  /** Read lists and archives from private addresses too. */
  allowPrivateAddresses?: boolean;
  /** Time for one request to a server. */
  fetchTimeoutMs?: number;
  redirectsMax?: number;
  /** User-Agent of requests for lists, archives and buckets; `clipfleet/VERSION` when absent. */
  userAgent?: string;
  /** Told the name of each file that a folder, an archive or a bucket has and that is not read. */
  onLeftOut?: (name: string) => void;
}

/**
 * Image refs from whatever `clipfleet enqueue` takes: paths, globs, lists, archives, buckets, URLs; docs/sources.md has the
 * rules. Reads as it is asked, in constant memory. Files are read wherever the names lead: give it what you trust.
 *
 * Throws, before the first ref, USAGE with everything that is wrong; later SOURCE_INVALID, SOURCE_UNAVAILABLE; NO_IMAGES.
 */
export async function* openSource(
  names: string[],
  options: OpenSourceOptions = {},
): AsyncGenerator<ImageRef> {
  const source = sourceOptionsOf(options);
  try {
    yield* listSource(names, source);
  } finally {
    await source.remote.close();
  }
}

/**
 * The other columns of a list, for whoever joins them with rows.
 *
 * @throws USAGE for what is no list with columns or too long a one, SOURCE_INVALID, SOURCE_UNAVAILABLE
 */
export async function readSourceColumns(
  list: string,
  options: OpenSourceOptions = {},
): Promise<OtherColumns> {
  const source = sourceOptionsOf(options);
  try {
    return await readOtherColumns(list, source);
  } finally {
    await source.remote.close();
  }
}

function sourceOptionsOf(options: OpenSourceOptions) {
  const { cwd = process.cwd(), urlColumn, idColumn, inputFormat, onLeftOut } = options;
  const remote = openRemote({
    allowPrivateAddresses: options.allowPrivateAddresses ?? defaultOf('allowPrivateAddresses'),
    timeoutMs: options.fetchTimeoutMs ?? defaultOf('fetchTimeoutMs'),
    redirectsMax: options.redirectsMax ?? defaultOf('redirectsMax'),
    userAgent: options.userAgent ?? defaultOf('userAgent'),
  });
  const address = options.address ?? rootAddress(new Map([[defaultRoot, cwd]]), cwd);
  return { cwd, address, remote, stdin: process.stdin, urlColumn, idColumn, inputFormat, onLeftOut };
}
