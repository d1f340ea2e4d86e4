import { posix, resolve } from 'node:path';
import { ClipfleetError } from '../../shared/errors.ts';
import { type ImageRef, imageRefLimits } from '../../shared/refs/imageRef.ts';
import { missingUri } from '../../shared/refs/missingUri.ts';
import { schemeOf } from '../../shared/refs/uriScheme.ts';
import { idOfUri, shortened } from '../images/imageId.ts';
import type { ListRow } from '../lists/listRow.ts';
import type { Address } from './address.ts';

export interface ListPlace {
  /** As the user typed it. */
  name: string;
  /** What paths in the list are relative to: an absolute folder, or the list's own URL. */
  base: string;
}

/**
 * A list's rows as image refs. The id is the row's own, or else its path or URL as it is written there.
 *
 * No row of millions stops the others: one that names no image, or a path that workers could not be told, becomes a ref that
 * fails. Only of the first row it is said at once, because then it is so with all.
 */
export async function* listRefs(
  rows: AsyncIterable<ListRow>,
  { name, base }: ListPlace,
  address: Address,
): AsyncGenerator<ImageRef> {
  let isFirst = true;
  for await (const { row, uri, id, fault } of rows) {
    const place = `${name}:${row}`;
    if (uri === undefined || uri.length > imageRefLimits.uriCharsMax) {
      yield { id: shortened(id ?? place), uri: missingUri(place, fault) };
    } else {
      const ref = { id: id === undefined ? idOfUri(uri) : shortened(id), uri };
      yield { ...ref, uri: locate(uri, base, address, isFirst ? place : undefined) };
    }
    isFirst = false;
  }
}

/** @param place of a row whose fault is to be thrown */
function locate(uri: string, base: string, address: Address, place: string | undefined): string {
  if (schemeOf(uri) !== undefined) return uri;
  const scheme = schemeOf(base);
  if (scheme === 's3') return besideObject(uri, base);
  if (scheme !== undefined) return URL.canParse(uri, base) ? new URL(uri, base).href : missingUri(uri);
  const path = resolve(base, uri);
  try {
    return address(path, uri);
  } catch (error) {
    if (place !== undefined) throw new ClipfleetError('USAGE', `${place}: ${(error as Error).message}`);
    return path;
  }
}

/** As a relative path of a URL, but keys are not encoded. */
function besideObject(path: string, list: string): string {
  const [, bucket = '', key = ''] = /^(s3:\/\/[^/]+)\/(.*)$/is.exec(list) ?? [];
  return bucket + posix.resolve('/', posix.dirname(key), path);
}
