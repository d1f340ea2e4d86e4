import type { ByteRange } from './tarUri.ts';

/** A file of this machine: its uri, and where in the file the image is if it is not all of it. */
export interface LocalFile {
  uri: string;
  range?: ByteRange;
}

/** An image file: its bytes, or where its decoder finds them. */
export type ImageSource = { bytes: Uint8Array } | { file: LocalFile };
