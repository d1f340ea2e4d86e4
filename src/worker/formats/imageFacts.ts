import type { Size } from '../resize/preprocessing.ts';
import type { ImageFormat } from './imageFormat.ts';
import type { Orientation } from './orientation.ts';

/** What an image file says of itself before it is decoded. Sizes are as stored, before it is turned. */
export interface ImageFacts extends Size {
  format: ImageFormat;
  orientation: Orientation;
  /** Of a JPEG: how often its decoder must go over the image. */
  scans?: number;
  /** Of a JPEG of several scans, as a progressive one: bytes of the coefficients that its decoder holds until the last. */
  coefficientBytes?: number;
  /** Samples that Pillow reads in a way of its own; absent for 8-bit grey or RGB. */
  samples?: Samples;
  /** What makes this file one that is not read, as the end of a sentence: "a JPEG of 12 bits a sample". */
  unsupported?: string;
}

export type Samples = 'CMYK' | 'grey of 16 bits' | 'premultiplied alpha';

/** Why a file that breaks off or contradicts itself is no whole image, as a sentence's end. */
export class BrokenImage extends Error {}

/** Reads numbers at places of a file; one past its end says so. */
export class FileView extends DataView<ArrayBufferLike> {
  constructor(bytes: Uint8Array) {
    super(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }
  latin1(at: number, length: number): string {
    this.need(at + length);
    return Buffer.from(this.buffer, this.byteOffset + at, length).toString('latin1');
  }
  bytes(at: number, length: number): Uint8Array {
    this.need(at + length);
    return new Uint8Array(this.buffer, this.byteOffset + at, length);
  }
  need(end: number): void {
    if (end > this.byteLength) throw new RangeError(`${end} of ${this.byteLength} bytes`);
  }
}
