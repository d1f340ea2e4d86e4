import { type GifFrame, gifColour, gifData, readGifFrame } from '../formats/gifFacts.ts';
import { BrokenImage } from '../formats/imageFacts.ts';
import type { RgbImage } from '../resize/resample.ts';

const CODE_BITS_MAX = 12;
const CODES_MAX = 1 << CODE_BITS_MAX;
const WHITE = [255, 255, 255] as const;

/**
 * The first frame of a GIF on its canvas, as Pillow and transformers have it: what the frame does not cover is the
 * transparent colour, or else the palette's first; the transparent colour is white wherever it stands.
 *
 * @throws {BrokenImage} where the frame breaks off, unless `truncated` is to be accepted: then the rows that are there
 */
export function decodeGif(bytes: Uint8Array, truncated: 'fail' | 'accept'): RgbImage {
  const gif = readGifFrame(bytes);
  const { indices, count } = unpackCodes(gifData(bytes, gif), gif);
  if (count < indices.length && truncated === 'fail') {
    throw new BrokenImage(`its first frame has ${count} of ${indices.length} pixels`);
  }
  return { data: paint(gif, indices), width: gif.width, height: gif.height };
}

/** Indices of the frame in the order of the file, and how many of them are there. */
function unpackCodes(data: Uint8Array, { codeBits, frame }: GifFrame) {
  if (codeBits < 1 || codeBits > 8) throw new BrokenImage(`its codes begin with ${codeBits} bits`);
  const indices = new Uint8Array(frame.width * frame.height);
  const clear = 1 << codeBits;
  const end = clear + 1;
  // Each code is the string of another one and one more index.
  const prefix = new Uint16Array(CODES_MAX);
  const last = new Uint8Array(CODES_MAX);
  const first = new Uint8Array(CODES_MAX);
  const length = new Uint16Array(CODES_MAX);
  for (let code = 0; code < clear; code++) {
    last[code] = code;
    first[code] = code;
    length[code] = 1;
  }
  let [bits, next, previous] = [codeBits + 1, end + 1, -1];
  let [buffer, buffered, count] = [0, 0, 0];
  for (let at = 0; count < indices.length; ) {
    while (buffered < bits && at < data.length) {
      buffer |= data[at++]! << buffered;
      buffered += 8;
    }
    if (buffered < bits) break;
    const code = buffer & ((1 << bits) - 1);
    buffer >>>= bits;
    buffered -= bits;
    if (code === clear) {
      [bits, next, previous] = [codeBits + 1, end + 1, -1];
      continue;
    }
    if (code === end) break;
    if (code > next || (code === next && previous === -1)) {
      throw new BrokenImage('its compressed data name a code that was not made');
    }
    if (previous !== -1 && next < CODES_MAX) {
      prefix[next] = previous;
      first[next] = first[previous]!;
      last[next] = first[code === next ? previous : code]!;
      length[next] = length[previous]! + 1;
      next += 1;
      if (next === 1 << bits && bits < CODE_BITS_MAX) bits += 1;
    }
    for (let to = count + length[code]! - 1, of = code; to >= count; to--, of = prefix[of]!) {
      if (to < indices.length) indices[to] = last[of]!;
    }
    count = Math.min(indices.length, count + length[code]!);
    previous = code;
  }
  return { indices, count };
}

/** Where the rows of an interlaced frame begin, and how far they are apart. GIF89a, appendix E. */
const passes = [
  [0, 8],
  [4, 8],
  [2, 4],
  [1, 2],
] as const;

function rowOrder({ isInterlaced, frame }: GifFrame): number[] {
  const rows: number[] = [];
  for (const [start, step] of isInterlaced ? passes : ([[0, 1]] as const)) {
    for (let y = start; y < frame.height; y += step) rows.push(y);
  }
  return rows;
}

function paint(gif: GifFrame, indices: Uint8Array): Uint8Array {
  const { width, height, frame, transparent } = gif;
  const key = transparent === undefined ? undefined : gifColour(gif, transparent).join();
  const colours = Array.from({ length: 256 }, (_, index) => {
    const colour = gifColour(gif, index);
    return colour.join() === key ? WHITE : colour;
  });
  const data = new Uint8Array(width * height * 3);
  const outside = colours[transparent ?? 0]!;
  for (let to = 0; to < data.length; to += 3) data.set(outside, to);
  let from = 0;
  for (const y of rowOrder(gif)) {
    let to = ((frame.top + y) * width + frame.left) * 3;
    for (let x = 0; x < frame.width; x++) {
      const colour = colours[indices[from++]!]!;
      data[to++] = colour[0];
      data[to++] = colour[1];
      data[to++] = colour[2];
    }
  }
  return data;
}
