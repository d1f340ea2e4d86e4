import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { ClipfleetError } from './shared/errors.ts';
import type { ImageRef } from './shared/refs/imageRef.ts';
import { schemeOf } from './shared/refs/uriScheme.ts';

/**
 * A path, an http(s), `file:`, `s3:` or `data:` URL, base64 as Python's pipeline takes it, or the bytes of an image file in
 * whatever holds them: a `Buffer` or another view, an `ArrayBuffer`, a `Blob` or `File`, a stream.
 */
export type ImageInput =
  | string
  | URL
  | ArrayBuffer
  | SharedArrayBuffer
  | ArrayBufferView
  | Blob
  | AsyncIterable<Uint8Array>;

/** Shorter than any image file; a name in a folder may look like base64 too. */
const BASE64_CHARS_MIN = 40;
const BASE64 = /^[A-Za-z0-9+/]+={0,2}$/;

/**
 * The image's bytes where the input holds them, else a ref of where they are. A path is what it is on this machine, from the
 * working directory; where no such file is, a text may be base64.
 *
 * @param bytesMax for inputs that are read here
 * @throws USAGE for a value of another type and an empty text, IMAGE_TOO_LARGE
 */
export async function readImageInput(
  input: ImageInput,
  bytesMax: number,
): Promise<Uint8Array | { ref: ImageRef }> {
  if (input !== '' && (typeof input === 'string' || input instanceof URL)) return readText(String(input));
  const bytes = bytesOf(input);
  if (bytes) return bytes;
  if (input instanceof Blob) {
    if (input.size > bytesMax) throw tooLarge(input.size, bytesMax);
    return new Uint8Array(await input.arrayBuffer());
  }
  if (isStream(input)) return readStream(input, bytesMax);
  const message =
    'Expected an image as a path, a URL, base64, a Buffer, an ArrayBuffer, a Blob or a stream of bytes, ' +
    `got ${nameOfType(input)}.`;
  throw new ClipfleetError('USAGE', message);
}

function readText(text: string): Uint8Array | { ref: ImageRef } {
  if (schemeOf(text) !== undefined) return { ref: { id: 'image', uri: text } };
  const base64 = text.replace(/\s+/g, '');
  if (base64.length >= BASE64_CHARS_MIN && BASE64.test(base64) && !existsSync(resolve(text)))
    return Buffer.from(base64, 'base64');
  return { ref: { id: 'image', uri: resolve(text) } };
}

function bytesOf(input: unknown): Uint8Array | undefined {
  if (input instanceof Uint8Array) return input;
  if (ArrayBuffer.isView(input)) return new Uint8Array(input.buffer, input.byteOffset, input.byteLength);
  if (input instanceof ArrayBuffer || input instanceof SharedArrayBuffer) return new Uint8Array(input);
  return undefined;
}

function isStream(input: unknown): input is AsyncIterable<unknown> {
  return typeof input === 'object' && input !== null && Symbol.asyncIterator in input;
}

async function readStream(stream: AsyncIterable<unknown>, bytesMax: number): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let byteCount = 0;
  for await (const chunk of stream) {
    const bytes = bytesOf(chunk);
    if (!bytes)
      throw new ClipfleetError('USAGE', `Expected a stream of bytes, got one of ${nameOfType(chunk)}.`);
    byteCount += bytes.length;
    if (byteCount > bytesMax) throw tooLarge(byteCount, bytesMax);
    chunks.push(bytes);
  }
  return Buffer.concat(chunks, byteCount);
}

function nameOfType(value: unknown): string {
  if (value === '') return 'an empty text';
  if (value === null || value === undefined) return String(value);
  const name = typeof value === 'object' ? value.constructor?.name : undefined;
  return name ?? typeof value;
}

function tooLarge(byteCount: number, bytesMax: number): ClipfleetError {
  const message = `Expected at most ${bytesMax} bytes, got ${byteCount} or more; allow more with imageBytesMax.`;
  return new ClipfleetError('IMAGE_TOO_LARGE', message);
}
