import { posix } from 'node:path';
import { ClipfleetError } from '../../shared/errors.ts';
import type { ByteRange } from '../../shared/refs/tarUri.ts';
import { type RangedBytes, readingAhead } from '../bytes/rangedBytes.ts';
import { BEGINNING_BYTES, beginsAsImage, endingOf, isImageName } from './imageName.ts';
import type { OnLeftOut } from './leftOut.ts';
import { parsePaxRecords, parseTarHeader, TAR_BLOCK, type TarHeader, textIn } from './tarHeader.ts';

/** A file of an archive, and where its content is in it. */
export interface TarMember extends ByteRange {
  name: string;
}

/** A long name or a PAX header is a few hundred bytes; more than this is no archive that somebody made in earnest. */
const EXTENSION_BYTES_MAX = 1024 * 1024;

/** What an entry in front says of the next one. */
type Overrides = Partial<Pick<TarHeader, 'name' | 'size' | 'kind'>>;

/**
 * The images of a tar archive, by the endings of their names, in their order. Headers are read and contents passed over.
 * `archive` is its name, for messages.
 *
 * Throws SOURCE_INVALID, with the place in bytes, for an archive that breaks off or is none.
 */
export async function* tarImages(
  bytes: RangedBytes,
  archive: string,
  onLeftOut: OnLeftOut = () => {},
): AsyncGenerator<TarMember> {
  const read = readingAhead(bytes);
  let next: Overrides = {};
  for (let at = 0; at < bytes.size; ) {
    const header = await headerAt(at, read, archive);
    if (header === undefined) return;
    const isAboutNext = header.kind === 'longName' || header.kind === 'pax';
    const { name, size, kind } = isAboutNext ? header : { ...header, ...next };
    const offset = at + TAR_BLOCK;
    const end = offset + size;
    if (end > bytes.size) {
      const got = `${name || 'an entry'} of ${size} bytes, of which ${bytes.size - offset} are there`;
      throw broken(archive, at, got);
    }
    if (isAboutNext) {
      if (size > EXTENSION_BYTES_MAX) throw broken(archive, at, `a name of ${size} bytes`);
      next = {
        ...next,
        ...overridesIn(kind, await read(offset, size), () => broken(archive, at, 'a broken PAX header')),
      };
    } else {
      next = {};
      const base = posix.basename(name);
      // Hidden files, such as the `._` ones of a Mac, are none, as in a folder.
      if (kind === 'file' && !base.startsWith('.')) {
        const isImage =
          endingOf(base) === undefined
            ? beginsAsImage(await read(offset, BEGINNING_BYTES))
            : isImageName(base);
        if (isImage) yield { name: posix.normalize(name), offset, length: size };
        else onLeftOut(base);
      }
    }
    at = offset + Math.ceil(size / TAR_BLOCK) * TAR_BLOCK;
  }
}

async function headerAt(at: number, read: RangedBytes['read'], archive: string) {
  const block = await read(at, TAR_BLOCK);
  if (block.length < TAR_BLOCK) throw broken(archive, at, `only ${block.length} bytes more`);
  try {
    return parseTarHeader(block);
  } catch (error) {
    throw broken(archive, at, (error as Error).message);
  }
}

function overridesIn(kind: TarHeader['kind'], content: Uint8Array, fault: () => ClipfleetError): Overrides {
  if (kind === 'longName') return { name: textIn(content) };
  let records: Map<string, string>;
  try {
    records = parsePaxRecords(content);
  } catch {
    throw fault();
  }
  const [name, size] = [records.get('path'), records.get('size')];
  if (size !== undefined && !/^\d{1,15}$/.test(size)) throw fault();
  // The bytes of a file with holes do not lie together.
  const isSparse = [...records.keys()].some((key) => key.startsWith('GNU.sparse.'));
  return {
    ...(name !== undefined && { name }),
    ...(size !== undefined && { size: Number(size) }),
    ...(isSparse && { kind: 'other' as const }),
  };
}

function broken(archive: string, offset: number, got: string): ClipfleetError {
  return new ClipfleetError(
    'SOURCE_INVALID',
    `${archive}: expected a tar archive that is whole, got ${got} at byte ${offset}. The images until there were taken.`,
  );
}
